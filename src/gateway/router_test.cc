#include "gateway/router.h"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

const Router kRouter("/cluster-api");
constexpr std::string_view kWorkload = "/cluster-api/api/v1/p/workloads/training/runai/w";

std::string message_of(const auto& result) { return result ? "no error" : result.error().message; }

Result<workload::WorkloadRef> workload_at(std::string_view path) {
  TRY(const Route route, kRouter.match("GET", path));
  return parse_workload(route);
}

TEST(Router, KnowsEachEndpoint) {
  const std::pair<const char*, Endpoint> cases[] = {
      {"/status", Endpoint::WorkloadStatus},
      {"/logs", Endpoint::Logs},
      {"/logs/download", Endpoint::LogDownload},
      {"/exec", Endpoint::Exec},
      {"/attach", Endpoint::Attach},
      {"/port-forward", Endpoint::PortForward},
      {"/pods", Endpoint::Pods},
  };
  for (const auto& [operation, endpoint] : cases) {
    const auto route = kRouter.match("GET", std::string(kWorkload) + operation);
    ASSERT_TRUE(route) << operation;
    EXPECT_EQ(route->endpoint, endpoint) << operation;
  }
  EXPECT_EQ(kRouter.match("GET", "/cluster-api/status")->endpoint, Endpoint::ClusterStatus);
}

TEST(Router, AnythingElseIsNotFound) {
  const std::string workload(kWorkload);
  for (const std::string& path :
       {std::string("/"), std::string("/status"), std::string("/cluster-api"),
        std::string("/cluster-api/"), std::string("/cluster-apix/status"),
        std::string("/cluster-api/status/"), workload, workload + "/", workload + "/logs/",
        workload + "/logs/x", workload + "/status/download", workload + "/Logs",
        std::string("//cluster-api/status"), workload + "/%zz"}) {
    const auto route = kRouter.match("GET", path);
    ASSERT_FALSE(route) << path;
    EXPECT_EQ(route.error().code, ErrorCode::NotFound) << path;
  }
}

TEST(Router, TargetWithoutAPathIsNotFound) {
  EXPECT_EQ(kRouter.match("GET", "").error().code, ErrorCode::NotFound);
  EXPECT_EQ(Router("").match("GET", "").error().code, ErrorCode::NotFound);
  EXPECT_EQ(Router("").match("GET", "*").error().code, ErrorCode::NotFound);
}

TEST(Router, OtherMethodsAreRefusedOnlyOnPathsThatExist) {
  for (const char* method : {"HEAD", "POST", "OPTIONS", "CONNECT", "get"}) {
    EXPECT_EQ(kRouter.match(method, "/cluster-api/status").error().code,
              ErrorCode::MethodNotAllowed);
    EXPECT_EQ(kRouter.match(method, "/nothing").error().code, ErrorCode::NotFound);
  }
}

TEST(Router, FixedSegmentsMayBePercentEncoded) {
  EXPECT_TRUE(kRouter.match("GET", "/cluster-api/%73tatus"));
  EXPECT_TRUE(kRouter.match("GET", "/cluster%2Dapi/status"));
  EXPECT_TRUE(Router("/a/b").match("GET", "/%61/b/status"));
  EXPECT_FALSE(Router("/a/b").match("GET", "/a%2Fb/status"));
  EXPECT_FALSE(Router("/a").match("GET", "/a/status/x"));
  EXPECT_TRUE(Router("").match("GET", "/%73tatus"));
}

TEST(Router, BaseMayBeTheRoot) {
  const Router router("");
  EXPECT_TRUE(router.match("GET", "/status"));
  EXPECT_FALSE(router.match("GET", "/cluster-api/status"));
}

TEST(Router, ParametersAreDecodedOnce) {
  const auto workload =
      workload_at("/cluster-api/api/v1/%70/workloads/distributed/tf/my%2Djp/logs");
  ASSERT_TRUE(workload);
  EXPECT_EQ(workload->project, "p");
  EXPECT_EQ(workload->type, workload::WorkloadType::Distributed);
  EXPECT_EQ(workload->framework, workload::Framework::TensorFlow);
  EXPECT_EQ(workload->name, "my-jp");
}

TEST(Router, BadParametersAreAMatterOfTheRequestNotOfThePath) {
  const std::pair<const char*, const char*> cases[] = {
      {"/cluster-api/api/v1//workloads/training/runai/w/logs",
       "malformed path parameter: project is empty"},
      {"/cluster-api/api/v1/p%2Fq/workloads/training/runai/w/logs",
       "malformed path parameter: project holds a slash or NUL"},
      {"/cluster-api/api/v1/p/workloads/training/runai/a%00/logs",
       "malformed path parameter: name holds a slash or NUL"},
      {"/cluster-api/api/v1/p/workloads/training/runai/%zz/logs",
       "malformed path parameter: name is not percent-encoded UTF-8"},
      {"/cluster-api/api/v1/P/workloads/training/runai/w/logs",
       "malformed path parameter: project \"P\" is no valid name"},
      {"/cluster-api/api/v1/p/workloads/training/runai/../logs",
       "malformed path parameter: name \"..\" is no valid name"},
      {"/cluster-api/api/v1/p/workloads/training/runai/%2E/logs",
       "malformed path parameter: name \".\" is no valid name"},
      {"/cluster-api/api/v1/p/workloads/training/tf/w/logs",
       "malformed path parameter: no workload type and framework \"training/tf\"; valid: "},
      {"/cluster-api/api/v1/p/workloads/%zz/runai/w/logs",
       "malformed path parameter: type is not percent-encoded UTF-8"},
  };
  for (const auto& [path, message] : cases) {
    EXPECT_TRUE(message_of(workload_at(path)).starts_with(message))
        << path << ": " << message_of(workload_at(path));
  }
}

TEST(Router, ListOfWorkloadsHasNothingBehindIt) {
  const auto route = kRouter.match("GET", "/cluster-api/api/v1/p/workloads");
  ASSERT_TRUE(route);
  EXPECT_EQ(route->endpoint, Endpoint::Workloads);
  EXPECT_EQ(parse_project(*route), "p");
  for (const char* path : {"/cluster-api/api/v1/p/workloads/", "/cluster-api/api/v1/p/workload",
                           "/cluster-api/api/v1/p/workloads/training",
                           "/cluster-api/api/v1/p/workloads/training/runai"}) {
    EXPECT_EQ(kRouter.match("GET", path).error().code, ErrorCode::NotFound) << path;
  }
  EXPECT_EQ(kRouter.match("POST", "/cluster-api/api/v1/p/workloads").error().code,
            ErrorCode::MethodNotAllowed);
  EXPECT_EQ(message_of(parse_project(*kRouter.match("GET", "/cluster-api/api/v1//workloads"))),
            "malformed path parameter: project is empty");
}

}  // namespace
}  // namespace sluice::gateway
