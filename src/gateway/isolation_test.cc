// Who may not do a thing learns nothing: on each endpoint that there is, the permission is decided
// before the backend hears of the request, and the answer is the same whatever there is.
#include <map>

#include "base/base64.h"
#include "gateway/gateway_test_support.h"

namespace sluice::gateway {
namespace {

class IsolationTest : public GatewayTest {
 protected:
  /// A target for every endpoint but the cluster's status, which needs no permission.
  static std::map<Endpoint, std::vector<std::string>> targets(const std::string& project,
                                                              const std::string& name) {
    const std::string list = "/cluster-api/api/v1/" + project + "/workloads";
    const std::string workload = list + "/training/runai/" + name;
    const std::string command = base64url_encode(as_bytes(R"(["true"])"));
    return {
        {Endpoint::Workloads, {list, list + "?watch=true", list + "?name=" + name}},
        {Endpoint::WorkloadStatus, {workload + "/status"}},
        {Endpoint::Pods, {workload + "/pods"}},
        {Endpoint::Logs, {workload + "/logs", workload + "/logs?pod=w-0-0&container=main"}},
        {Endpoint::LogDownload, {workload + "/logs/download", workload + "/logs/download?pod=x"}},
        {Endpoint::Exec, {workload + "/exec?command=" + command}},
        {Endpoint::Attach, {workload + "/attach", workload + "/attach?container=x"}},
        {Endpoint::PortForward, {workload + "/port-forward?port=80"}},
    };
  }
  /// Without and with an upgrade, which must make no difference.
  static std::array<std::string, 2> fields_of(std::string_view token) {
    std::string upgrade(kUpgrade);
    upgrade.replace(upgrade.find("alice"), 5, token);
    return {"Authorization: Bearer " + std::string(token) + "\r\n", upgrade};
  }
};

TEST_F(IsolationTest, TargetsAreOfEveryEndpoint) {
  for (int i = 0; i < static_cast<int>(Endpoint::kCount); ++i) {
    const auto endpoint = static_cast<Endpoint>(i);
    const bool is_open = endpoint == Endpoint::ClusterStatus || endpoint == Endpoint::Unknown;
    EXPECT_EQ(targets("p", "w").contains(endpoint), !is_open) << i;
  }
}

TEST_F(IsolationTest, BackendHearsNothingOfRequestsThatAreRefused) {
  for (const auto& [token, status_line_start] :
       {std::pair("mallory", "HTTP/1.1 403 "), std::pair("expired", "HTTP/1.1 401 ")}) {
    for (const auto& [endpoint, paths] : targets("p", "w")) {
      for (const std::string& path : paths) {
        for (const std::string& fields : fields_of(token)) {
          EXPECT_THAT(exchange(path, fields), ::testing::StartsWith(status_line_start)) << path;
        }
      }
    }
  }
  EXPECT_TRUE(backend.callers.empty());
}

/// With permission it does: so the test before would see it.
TEST_F(IsolationTest, BackendHearsOfRequestsThatAreAllowed) {
  settings.max_sessions = 100;
  for (const auto& [endpoint, paths] : targets("p", "w")) {
    backend.callers.clear();
    exchange(paths.front(), kUpgrade);
    EXPECT_FALSE(backend.callers.empty()) << paths.front();
  }
}

TEST_F(IsolationTest, RefusalIsTheSameWhateverThereIs) {
  backend.add_workload(
      {"p", workload::WorkloadType::Training, workload::Framework::Runai, "empty"});
  for (const std::string& fields : fields_of("mallory")) {
    for (const auto& [endpoint, paths] : targets("p", "w")) {
      for (std::size_t i = 0; i < paths.size(); ++i) {
        const std::string there = exchange(paths[i], fields);
        EXPECT_EQ(exchange(targets("p", "empty").at(endpoint)[i], fields), there);
        EXPECT_EQ(exchange(targets("p", "gone").at(endpoint)[i], fields), there);
        EXPECT_EQ(exchange(targets("q", "w").at(endpoint)[i], fields), there);
      }
    }
  }
}

/// Also where the backend has trouble, which it would tell.
TEST_F(IsolationTest, RefusalComesBeforeAnyTroubleOfTheBackend) {
  backend.failure = Error{ErrorCode::Unavailable, "the cluster is away", {}, {}, {}};
  for (const auto& [endpoint, paths] : targets("p", "w")) {
    for (const std::string& fields : fields_of("mallory")) {
      EXPECT_THAT(exchange(paths.front(), fields), ::testing::StartsWith("HTTP/1.1 403 "));
    }
  }
}

/// A caller without permission has no part in the limits either: they, too, would tell.
TEST_F(IsolationTest, RefusalComesBeforeTheLimits) {
  const SessionTicket one = limits.admit("alice").value();
  const SessionTicket two = limits.admit("bob").value();
  const SessionTicket three = limits.admit("carol").value();
  for (const auto& [endpoint, paths] : targets("p", "w")) {
    EXPECT_THAT(exchange(paths.front(), fields_of("mallory")[1]),
                ::testing::StartsWith("HTTP/1.1 403 "));
  }
}

TEST_F(IsolationTest, FieldsThatNameAnotherUserAreRefusedBeforeThePermission) {
  for (const auto& [endpoint, paths] : targets("p", "w")) {
    for (const char* token : {"alice", "mallory"}) {
      const std::string fields = fields_of(token)[1] + "Impersonate-User: root\r\n";
      EXPECT_THAT(exchange(paths.front(), fields), ::testing::StartsWith("HTTP/1.1 400 "));
    }
  }
  EXPECT_TRUE(authorizer.asked.empty());
  EXPECT_TRUE(backend.callers.empty());
}

}  // namespace
}  // namespace sluice::gateway
