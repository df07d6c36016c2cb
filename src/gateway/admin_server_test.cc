#include "gateway/admin_server.h"

#include "gateway/gateway_test_support.h"

namespace sluice::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class AdminServerTest : public GatewayTest {
 protected:
  void TearDown() override {
    testing::run(loop, admin.stop());
    GatewayTest::TearDown();
  }
  std::string get(const std::string& path, const std::string& method = "GET") {
    testing::MemoryPipe pipe(loop);
    admin.serve(std::move(pipe.server));
    const std::string request = method + " " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
    EXPECT_TRUE(pipe.client->try_write(as_bytes(request)));
    run_until_idle();
    std::vector<std::byte> answer(60'000);
    const auto count = pipe.client->try_read(answer);
    if (!count || !*count) return "no answer";
    return std::string(as_text(Bytes(answer).first(**count)));
  }
  AdminServer admin{loop.executor(), services};
};

TEST_F(AdminServerTest, HealthNeedsNoToken) {
  EXPECT_THAT(get("/healthz"), HasSubstr("\r\n\r\nok\n"));
}

TEST_F(AdminServerTest, ReadyOnlyBetweenStartAndShutdown) {
  stage = Stage::Starting;
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503 "));
  stage = Stage::Ready;
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200 "));
  stage = Stage::Draining;
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(AdminServerTest, MetricsAreInPrometheusText) {
  EXPECT_THAT(get("/metrics"), HasSubstr("Content-Type: text/plain; version=0.0.4"));
}

/// One connection's requests are answered one a round of the loop.
TEST_F(AdminServerTest, ClientThatPipelinesTakesTurnsWithTheOthers) {
  testing::MemoryPipe greedy(loop);
  testing::MemoryPipe other(loop);
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(greedy.client->try_write(as_bytes(request)));
  ASSERT_TRUE(other.client->try_write(as_bytes(request)));
  admin.serve(std::move(greedy.server));
  admin.serve(std::move(other.server));
  while (other.under_way_to_client() == 0) loop.context().run_one();
  EXPECT_LE(greedy.under_way_to_client(), 3 * other.under_way_to_client());
}

/// Who keeps a connection would go on with this server for as long as it has sessions.
TEST_F(AdminServerTest, ConnectionEndsOnceAnotherServerHasTakenOver) {
  EXPECT_THAT(get("/metrics"), Not(HasSubstr("Connection: close")));
  stage = Stage::Retiring;
  EXPECT_THAT(get("/metrics"), HasSubstr("Connection: close"));
}

TEST_F(AdminServerTest, NothingElse) {
  EXPECT_THAT(get("/cluster-api/status"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/healthz", "POST"), StartsWith("HTTP/1.1 405 "));
}

}  // namespace
}  // namespace sluice::gateway
