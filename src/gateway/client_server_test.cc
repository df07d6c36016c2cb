#include "gateway/client_server.h"

#include "gateway/gateway_test_support.h"

namespace sluice::gateway {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ClientServerTest : public GatewayTest {
 protected:
  /// A session that follows a log, as that user.
  std::unique_ptr<Client> follow(std::string_view user = "alice") {
    auto client = std::make_unique<Client>(loop, gateway());
    std::string fields(kUpgrade);
    fields.replace(fields.find("alice"), 5, user);
    client->send("GET " + std::string(kBase) + "/logs?follow=true HTTP/1.1\r\nHost: h\r\n" +
                 fields + "\r\n");
    run_until_idle();
    return client;
  }
  static std::string status_request(std::string_view fields = kAlice) {
    return "GET /cluster-api/status HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
  }
};

TEST_F(ClientServerTest, ConnectionServesOneRequestAfterTheOther) {
  Client client(loop, gateway());
  client.send(status_request() + status_request(""));
  run_until_idle();
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(client.received(), HasSubstr("HTTP/1.1 401 "));
  EXPECT_FALSE(client.ended);
}

TEST_F(ClientServerTest, ClientThatPipelinesTakesTurnsWithTheOthers) {
  const auto request = [](std::string_view user) {
    return "GET " + std::string(kBase) + "/status HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " +
           std::string(user) + "\r\n\r\n";
  };
  Client greedy(loop, gateway());
  for (int i = 0; i < 100; ++i) greedy.send(request("alice"));
  Client other(loop, gateway());
  other.send(request("bob"));
  run_until_idle();
  ASSERT_EQ(authorizer.asked.size(), 101u);
  const auto bob = std::ranges::find(authorizer.asked, "bob status p");
  EXPECT_LE(bob - authorizer.asked.begin(), 2);
}

TEST_F(ClientServerTest, ConnectionHasItsPlaceUntilItHasEnded) {
  ConnectionLimit connections(1, metrics);
  testing::MemoryPipe pipe(loop);
  gateway().serve(std::move(pipe.server), ConnectionPlace(connections));
  run_until_idle();
  EXPECT_FALSE(connections.has_room());
  pipe.client->close();
  run_until_idle();
  EXPECT_TRUE(connections.has_room());
}

TEST_F(ClientServerTest, ConnectionCloseIsObeyed) {
  Client client(loop, gateway());
  client.send(status_request("Connection: close\r\n"));
  run_until_idle();
  EXPECT_THAT(client.received(), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(client.ended);
}

TEST_F(ClientServerTest, BadRequestIsAnsweredInJsonAndEndsTheConnection) {
  Client client(loop, gateway());
  client.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  run_until_idle();
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(client.received(), HasSubstr("{\"code\":400,"));
  EXPECT_TRUE(client.ended);
}

TEST_F(ClientServerTest, HeadGetsNoBody) {
  const std::string answer = exchange("/cluster-api/status", kAlice, "HEAD");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("Allow: GET\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Content-Length: 0\r\n")));
  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\n"));
}

TEST_F(ClientServerTest, SessionsAreLimitedInAllAndForEachUser) {
  const auto first = follow();
  const auto second = follow();
  EXPECT_THAT(follow()->received(), HasSubstr("you already have 2 sessions"));
  const auto third = follow("bob");
  EXPECT_THAT(third->received(), StartsWith("HTTP/1.1 101 "));
  const auto refused = follow("carol");
  EXPECT_THAT(refused->received(), StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(refused->received(), HasSubstr("Retry-After: 5\r\n"));
  EXPECT_EQ(limits.running(), 3u);
}

TEST_F(ClientServerTest, TicketComesBackWhenTheClientGoesAway) {
  follow().reset();
  run_until_idle();
  EXPECT_EQ(limits.running(), 0u);
  EXPECT_TRUE(activity.is_idle());
}

TEST_F(ClientServerTest, DrainingRefusesNewSessionsAndAnswersTheRest) {
  const auto running = follow();
  stage = Stage::Draining;
  const auto refused = follow();
  EXPECT_THAT(refused->received(), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(refused->received(), HasSubstr("Retry-After: "));
  EXPECT_TRUE(refused->ended);
  const std::string answer = exchange("/cluster-api/status");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_FALSE(running->ended);
}

TEST_F(ClientServerTest, InterruptedSessionsAreTold) {
  const auto running = follow();
  activity.watch();
  gateway().interrupt_sessions();
  run_until_idle();
  EXPECT_THAT(running->received(), HasSubstr("\x03\xE9server shutting down"));
  EXPECT_EQ(idle_calls, 0);
  clock.advance(seconds(3));  // the client never answers the Close
  EXPECT_EQ(idle_calls, 1);
}

TEST_F(ClientServerTest, BetweenRequestAndSessionTheServerIsNotIdle) {
  activity.watch();
  auto running = follow();
  EXPECT_EQ(idle_calls, 0);
  running.reset();
  run_until_idle();
  EXPECT_EQ(idle_calls, 1);
}

TEST_F(ClientServerTest, TokenExpiryEndsTheSessionWith1008) {
  tokens.expires_at = clock.wall_now() + seconds(60);
  const auto running = follow();
  clock.advance(seconds(59));
  EXPECT_THAT(running->received(), Not(HasSubstr("token expired")));
  clock.advance(seconds(2));
  EXPECT_THAT(running->received(), HasSubstr("\x03\xF0token expired"));
}

TEST_F(ClientServerTest, WallClockSetForwardEndsWhatHasExpiredWithinASecond) {
  tokens.expires_at = clock.wall_now() + std::chrono::hours(10);
  const auto running = follow();
  clock.advance(seconds(10));
  clock.jump_wall_clock(std::chrono::hours(11));
  clock.advance(seconds(1));
  EXPECT_THAT(running->received(), HasSubstr("\x03\xF0token expired"));
}

TEST_F(ClientServerTest, WallClockSetToShortlyBeforeExpiryEndsTheSessionAtItsTime) {
  tokens.expires_at = clock.wall_now() + std::chrono::hours(10);
  const auto running = follow();
  clock.jump_wall_clock(std::chrono::hours(10) - seconds(5));
  clock.advance(milliseconds(4'900));
  EXPECT_THAT(running->received(), Not(HasSubstr("token expired")));
  clock.advance(milliseconds(1'100));
  EXPECT_THAT(running->received(), HasSubstr("\x03\xF0token expired"));
}

TEST_F(ClientServerTest, WallClockSetBackKeepsTheSessionUntilItsTimeComesAgain) {
  tokens.expires_at = clock.wall_now() + seconds(60);
  const auto running = follow();
  clock.advance(seconds(59));
  clock.jump_wall_clock(-std::chrono::hours(1));
  clock.advance(seconds(120));
  EXPECT_THAT(running->received(), Not(HasSubstr("token expired")));
  clock.jump_wall_clock(std::chrono::hours(1));
  clock.advance(seconds(1));
  EXPECT_THAT(running->received(), HasSubstr("\x03\xF0token expired"));
}

/// Pings and idle time go by the other clock.
TEST_F(ClientServerTest, WallClockChangesNeitherPingsNorIdleTime) {
  settings.ping_interval = seconds(30);
  settings.idle_timeout = seconds(70);
  const auto running = follow();
  const auto pings = [&] {
    const std::string& text = running->received();
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find("\x89\x00"s, at)) != std::string::npos; ++at) ++count;
    return count;
  };
  for (const int hours : {5, -10, 5}) {
    clock.jump_wall_clock(std::chrono::hours(hours));
    clock.advance(seconds(20));
  }
  EXPECT_EQ(pings(), 2u);
  EXPECT_THAT(running->received(), Not(HasSubstr("idle timeout")));
  clock.advance(seconds(10));
  EXPECT_THAT(running->received(), HasSubstr("idle timeout"));
}

TEST_F(ClientServerTest, SessionsAreCountedWhileTheyRunAndAtTheirEnd) {
  auto running = follow();
  EXPECT_THAT(metrics.exposition(), HasSubstr("sluice_sessions{kind=\"logs\"} 1\n"));
  running.reset();
  run_until_idle();
  const std::string text = metrics.exposition();
  EXPECT_THAT(text, HasSubstr("sluice_sessions{kind=\"logs\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("sluice_requests_total{endpoint=\"logs\",status=\"101\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sluice_session_closes_total{code=\"1006\",kind=\"logs\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sluice_connections 0\n"));
}

TEST_F(ClientServerTest, BytesAreCountedBeforeASessionEnds) {
  const auto running = follow();
  clock.advance(seconds(31));  // a ping has gone out
  EXPECT_THAT(metrics.exposition(),
              Not(HasSubstr("sluice_session_sent_bytes_total{kind=\"logs\"} 0\n")));
}

TEST_F(ClientServerTest, RefusalsAreCountedByReason) {
  exchange("/cluster-api/status", "");
  exchange("/cluster-api/status", "Authorization: Bearer expired\r\n");
  exchange(std::string(kBase) + "/status", "Authorization: Bearer mallory\r\n");
  const std::string text = metrics.exposition();
  EXPECT_THAT(text,
              HasSubstr("sluice_authentication_failures_total{reason=\"missing-token\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sluice_authentication_failures_total{reason=\"expired\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sluice_authorization_denials_total{endpoint=\"status\"} 1\n"));
}

}  // namespace
}  // namespace sluice::gateway
