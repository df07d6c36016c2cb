#include "gateway/serve.h"

#include "base/base64.h"
#include "gateway/gateway_test_support.h"

namespace sluice::gateway {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ServeTest : public GatewayTest {
 protected:
  static std::string path(std::string_view operation) {
    return std::string(kBase) + std::string(operation);
  }
  static std::string command(std::string_view json) {
    return "command=" + base64url_encode(as_bytes(json));
  }
  static std::string true_command() { return command(R"(["true"])"); }
};

TEST_F(ServeTest, ClusterStatusNeedsOnlyAToken) {
  EXPECT_THAT(
      exchange("/cluster-api/status"),
      HasSubstr(R"({"status":"OK","version":"0.1","backend":{"kind":"fake"},"features":{)"));
  EXPECT_TRUE(authorizer.asked.empty());
  EXPECT_EQ(status("/cluster-api/status", ""), "401");
}

TEST_F(ServeTest, WorkloadStatusAsksForItsVerb) {
  EXPECT_THAT(exchange(path("/status")), HasSubstr(R"("status":"Running","phase":"Running")"));
  EXPECT_EQ(authorizer.asked, std::vector<std::string>{"alice status p"});
}

/// Each request is wrong in several ways; what is checked first decides.
TEST_F(ServeTest, ChecksComeInTheOrderOfTheContract) {
  const std::string bad_query = path("/exec?stdin=maybe");
  const std::string bad_name = "/cluster-api/api/v1/P/workloads/training/runai/gone/exec";
  const std::string gone =
      "/cluster-api/api/v1/p/workloads/training/runai/gone/exec?" + true_command();
  const std::string expired = "Authorization: Bearer expired\r\n";
  const std::string mallory = "Authorization: Bearer mallory\r\n";
  const std::string alice(kAlice);
  EXPECT_EQ(status("/cluster-api/nothing", ""), "404");
  EXPECT_EQ(status(bad_query, "", "POST"), "405");
  EXPECT_EQ(status(bad_query, ""), "401");
  EXPECT_EQ(status(bad_query, expired), "401");
  EXPECT_EQ(status(bad_name, expired), "401");
  EXPECT_EQ(status(bad_query, mallory), "400");
  EXPECT_EQ(status(bad_name, mallory), "400");
  EXPECT_EQ(status(gone, mallory), "403");
  EXPECT_EQ(status(gone, alice), "426");
  EXPECT_EQ(status(gone, kUpgrade), "500");
  EXPECT_EQ(status(path("/exec?" + true_command() + "&pod=gone"), kUpgrade), "404");
  EXPECT_EQ(status(path("/exec?" + true_command()), kUpgrade), "101");
}

TEST_F(ServeTest, EveryWebSocketEndpointAsksForAnUpgradeAndItsVerb) {
  const std::pair<std::string, const char*> cases[] = {
      {"/logs", "alice logs p"},
      {"/exec?" + true_command(), "alice exec p"},
      {"/attach", "alice attach p"},
      {"/port-forward?port=80", "alice port-forward p"},
  };
  for (const auto& [operation, asked] : cases) {
    authorizer.asked.clear();
    const std::string answer = exchange(path(operation));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 426 ")) << operation;
    EXPECT_THAT(answer, HasSubstr("Upgrade: websocket\r\nConnection: Upgrade\r\n")) << operation;
    EXPECT_THAT(answer, HasSubstr("Sec-WebSocket-Version: 13\r\n")) << operation;
    EXPECT_EQ(authorizer.asked, std::vector<std::string>{asked}) << operation;
  }
}

TEST_F(ServeTest, UpgradeEchoesTheFirstKnownSubprotocolOnly) {
  const std::string fields =
      std::string(kUpgrade) + "Sec-WebSocket-Protocol: x, v4.channel.k8s.io, v5.channel.k8s.io\r\n";
  const std::string answer = exchange(path("/exec?" + true_command()), fields);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(answer, HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  EXPECT_THAT(answer, HasSubstr("Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n"));
}

TEST_F(ServeTest, BrowsersBringTheTokenAsASubprotocol) {
  std::string fields(kUpgrade);
  fields.erase(0, kAlice.size());
  fields += "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.Ym9i, binary.k8s.io\r\n";
  const std::string answer = exchange(path("/logs"), fields);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(answer, HasSubstr("Sec-WebSocket-Protocol: binary.k8s.io\r\n"));
  EXPECT_EQ(authorizer.asked, std::vector<std::string>{"bob logs p"});
}

TEST_F(ServeTest, OnlyUnknownSubprotocolsAreRefusedNamingTheKnown) {
  const std::string fields = std::string(kUpgrade) + "Sec-WebSocket-Protocol: chat\r\n";
  const std::string answer = exchange(path("/port-forward?port=1&port=2"), fields);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer, HasSubstr("v4.channel.k8s.io"));
  EXPECT_THAT(answer, Not(HasSubstr("binary.k8s.io")));
}

TEST_F(ServeTest, CompressionIsAgreedOnlyWhenConfigured) {
  const std::string fields =
      std::string(kUpgrade) + "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  EXPECT_THAT(exchange(path("/logs?follow=1"), fields), Not(HasSubstr("Extensions")));
  settings.compression = true;
  EXPECT_THAT(exchange(path("/logs?follow=1"), fields),
              HasSubstr("Sec-WebSocket-Extensions: permessage-deflate"));
}

TEST_F(ServeTest, RawFramingCombinesTheOutputsChannelsDoNot) {
  exchange(path("/exec?" + true_command()), kUpgrade);
  exchange(path("/exec?" + true_command()),
           std::string(kUpgrade) + "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n");
  exchange(path("/exec?stderr=false&" + true_command()), kUpgrade);
  ASSERT_EQ(backend.execs.size(), 3u);
  EXPECT_TRUE(backend.execs[0].streams.combine_output);
  EXPECT_FALSE(backend.execs[1].streams.combine_output);
  EXPECT_FALSE(backend.execs[2].streams.combine_output);
}

TEST_F(ServeTest, BackendSeesWhatTheQuerySays) {
  exchange(path("/logs?tailLines=5&timestamps=1&sinceSeconds=10"), kUpgrade);
  ASSERT_EQ(backend.logs_opened.size(), 1u);
  EXPECT_EQ(backend.logs_opened[0].tail_lines, 5u);
  EXPECT_TRUE(backend.logs_opened[0].timestamps);
  EXPECT_EQ(backend.logs_opened[0].since, clock.wall_now() - seconds(10));
}

TEST_F(ServeTest, RefusedPortIsReportedAfterTheUpgrade) {
  const std::string answer = exchange(path("/port-forward?port=80"), kUpgrade);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(answer, HasSubstr("port 80: connection refused"));
}

TEST_F(ServeTest, FinishedPodsRefuseExecWith409) {
  backend.finish_pod("w-0-0", 0);
  EXPECT_EQ(status(path("/exec?" + true_command()), kUpgrade), "409");
}

TEST_F(ServeTest, BackendErrorsKeepTheirStatus) {
  backend.failure =
      Error{ErrorCode::Unavailable, "the cluster is away", {}, {}, std::chrono::seconds(9)};
  const std::string answer = exchange(path("/status"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 9\r\n"));
  EXPECT_THAT(answer, EndsWith(R"({"code":503,"message":"the cluster is away"})"));
}

TEST_F(ServeTest, DownloadIsAFileInChunks) {
  backend.add_pod(kWorkload, "w-0-1", {"main"}).container().log->append("one\ntwo\n");
  const std::string answer = exchange(path("/logs/download?pod=w-0-1&follow=maybe"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/octet-stream\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Disposition: attachment; "
                                "filename=\"w_w-0-1_main_20260101T000000Z.log\"\r\n"));
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(answer, EndsWith("one\ntwo\n\r\n0\r\n\r\n"));
}

TEST_F(ServeTest, DownloadIsCompressedWhereTheClientTakesIt) {
  backend.add_pod(kWorkload, "w-0-1", {"main"})
      .container()
      .log->append(std::string(5000, 'x') + "\n");
  const std::string fields = std::string(kAlice) + "Accept-Encoding: br, gzip\r\n";
  const std::string answer = exchange(path("/logs/download?pod=w-0-1"), fields);
  EXPECT_THAT(answer, HasSubstr("Content-Encoding: gzip\r\n"));
  EXPECT_LT(answer.size(), 600u);
}

TEST_F(ServeTest, ListsAskForTheVerbOfTheStatus) {
  const std::string workloads = "/cluster-api/api/v1/p/workloads";
  EXPECT_THAT(exchange(workloads),
              HasSubstr(R"({"workloads":[{"name":"w","type":"training","framework":"runai",)"));
  EXPECT_THAT(exchange(path("/pods")), HasSubstr(R"({"pods":[{"name":"w-0-0","phase":"Running")"));
  EXPECT_EQ(authorizer.asked, (std::vector<std::string>{"alice status p", "alice status p"}));
  EXPECT_THAT(exchange(workloads + "?name=other"), EndsWith(R"({"workloads":[]})"));
}

TEST_F(ServeTest, ListsCheckInTheOrderOfTheContract) {
  const std::string mallory = "Authorization: Bearer mallory\r\n";
  const std::string base = "/cluster-api/api/v1/";
  EXPECT_EQ(status(base + "P/workloads?type=x", ""), "401");
  EXPECT_EQ(status(base + "P/workloads", mallory), "400");
  EXPECT_EQ(status(base + "gone/workloads?type=x", mallory), "400");
  EXPECT_EQ(status(base + "gone/workloads", mallory), "403");
  EXPECT_EQ(status(base + "gone/workloads"), "404");
  EXPECT_EQ(status(base + "p/workloads/training/runai/gone/pods", mallory), "403");
  EXPECT_EQ(status(base + "p/workloads/training/runai/gone/pods"), "500");
}

}  // namespace
}  // namespace sluice::gateway
