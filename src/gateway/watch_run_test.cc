#include "gateway/watch_run.h"

#include "base/json.h"
#include "gateway/gateway_test_support.h"

namespace sluice::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kWorkloads = "/cluster-api/api/v1/p/workloads?watch=true";
constexpr std::string_view kLastChunk = "\r\n0\r\n\r\n";

class WatchRunTest : public GatewayTest {
 protected:
  std::unique_ptr<Client> watch(std::string_view query = {}, std::string_view fields = kAlice) {
    auto client = std::make_unique<Client>(loop, gateway());
    client->send(request(std::string(kWorkloads) + std::string(query), fields));
    run_until_idle();
    return client;
  }
  static std::string request(std::string_view target, std::string_view fields = kAlice) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
  }
  /// What the client was told and had not asked for before: "MODIFIED w Failed".
  std::vector<std::string> told(Client& client) {
    const std::string& text = client.received();
    std::vector<std::string> events;
    while ((seen_ = text.find("{\"event\"", seen_)) != std::string::npos) {
      const std::size_t end = text.find('\n', seen_);
      const json::value parsed = *json::parse(text.substr(seen_, end - seen_));
      seen_ = end;
      const json::object& event = parsed.get_object();
      std::string line(*json::find_string(event, "event"));
      if (const json::object* workload = json::find_object(event, "workload")) {
        line += " " + std::string(*json::find_string(*workload, "name")) + " " +
                std::string(*json::find_string(*workload, "phase"));
      }
      if (const auto code = json::find_int64(event, "code")) {
        line +=
            " " + std::to_string(*code) + " " + std::string(*json::find_string(event, "message"));
      }
      events.push_back(std::move(line));
    }
    seen_ = text.size();
    return events;
  }
  /// Long enough for what changed after something else was told.
  void pass_interval() { clock.advance(milliseconds(200)); }

  std::size_t seen_ = 0;
};

TEST_F(WatchRunTest, BeginsWithAllThereIsAsNewlineDelimitedJsonInChunks) {
  const auto client = watch();
  EXPECT_THAT(client->received(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(client->received(), HasSubstr("Content-Type: application/x-ndjson\r\n"));
  EXPECT_THAT(client->received(), HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(told(*client), ElementsAre("ADDED w Running", "SYNCED"));
  EXPECT_THAT(client->received(), Not(EndsWith(kLastChunk)));
}

TEST_F(WatchRunTest, FirstChangeIsToldAtOnceTheNextOnesTogether) {
  const auto client = watch();
  pass_interval();
  told(*client);
  backend.set_phase(kWorkload, "Stopping");
  run_until_idle();
  EXPECT_THAT(told(*client), ElementsAre("MODIFIED w Stopping"));
  workload::WorkloadRef other = kWorkload;
  other.name = "v";
  backend.add_workload(other, "Pending");
  backend.set_phase(kWorkload, "Stopped");
  backend.set_phase(kWorkload, "Resuming");
  run_until_idle();
  EXPECT_THAT(told(*client), IsEmpty());
  pass_interval();
  EXPECT_THAT(told(*client), ElementsAre("ADDED v Pending", "MODIFIED w Resuming"));
  pass_interval();
  backend.remove_workload(other);
  run_until_idle();
  EXPECT_THAT(told(*client), ElementsAre("DELETED v Pending"));
}

TEST_F(WatchRunTest, ChangeOfSomethingElseIsNotTold) {
  const auto client = watch("&name=v&type=training");
  EXPECT_THAT(told(*client), ElementsAre("SYNCED"));
  pass_interval();
  backend.set_phase(kWorkload, "Stopping");
  workload::WorkloadRef other = kWorkload;
  other.name = "v";
  backend.add_workload(other);
  run_until_idle();
  EXPECT_THAT(told(*client), ElementsAre("ADDED v Running"));
}

TEST_F(WatchRunTest, HeartbeatComesEveryPingIntervalAndKeepsAQuietWatchAlive) {
  settings.ping_interval = seconds(30);
  settings.idle_timeout = seconds(70);
  const auto client = watch();
  told(*client);
  clock.advance(seconds(29));
  EXPECT_THAT(told(*client), IsEmpty());
  clock.advance(seconds(1));
  EXPECT_THAT(told(*client), ElementsAre("HEARTBEAT"));
  clock.advance(seconds(120));
  EXPECT_EQ(told(*client).size(), 4u);
}

TEST_F(WatchRunTest, TokenExpiryIsTheLastLineAndTheConnectionGoesOn) {
  tokens.expires_at = clock.wall_now() + seconds(20);
  const auto client = watch();
  told(*client);
  clock.advance(seconds(19));
  EXPECT_THAT(told(*client), IsEmpty());
  clock.advance(seconds(2));
  EXPECT_THAT(told(*client), ElementsAre("END 401 token expired"));
  EXPECT_THAT(client->received(), EndsWith(kLastChunk));
  EXPECT_EQ(limits.running(), 0u);
  tokens.expires_at = WallTime::max();
  client->send(request("/cluster-api/status"));
  run_until_idle();
  EXPECT_THAT(client->received(), HasSubstr("\"status\":\"OK\""));
}

TEST_F(WatchRunTest, WallClockSetForwardEndsIt) {
  tokens.expires_at = clock.wall_now() + std::chrono::hours(10);
  const auto client = watch();
  clock.advance(seconds(10));
  clock.jump_wall_clock(std::chrono::hours(11));
  clock.advance(seconds(1));
  EXPECT_THAT(client->received(), HasSubstr("token expired"));
}

TEST_F(WatchRunTest, ShutdownIsTheLastLineAndEndsTheConnection) {
  const auto client = watch();
  told(*client);
  stage = Stage::Draining;
  activity.watch();
  gateway().interrupt_sessions();
  run_until_idle();
  EXPECT_THAT(told(*client), ElementsAre("END 503 server shutting down"));
  EXPECT_THAT(client->received(), EndsWith(kLastChunk));
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(idle_calls, 1);
}

TEST_F(WatchRunTest, RetiringServerSaysThatTheConnectionEnds) {
  EXPECT_THAT(watch()->received(), Not(HasSubstr("Connection: close\r\n")));
  stage = Stage::Retiring;
  const std::string answer = watch()->received();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
}

TEST_F(WatchRunTest, WatchThatBeginsAfterTheInterruptionEndsAtOnce) {
  gateway().interrupt_sessions();
  EXPECT_THAT(told(*watch()),
              ElementsAre("ADDED w Running", "SYNCED", "END 503 server shutting down"));
}

TEST_F(WatchRunTest, ProjectThatVanishesEndsIt) {
  const auto client = watch();
  pass_interval();
  told(*client);
  backend.remove_workload(kWorkload);
  run_until_idle();
  EXPECT_THAT(told(*client), ElementsAre("END 404 project \"p\" not found"));
  EXPECT_THAT(client->received(), EndsWith(kLastChunk));
}

TEST_F(WatchRunTest, WhatIsNotKnownForAWhileIsNotGone) {
  const auto client = watch();
  pass_interval();
  told(*client);
  backend.failure = Error{ErrorCode::Unavailable, "not known yet", {}, {}, {}};
  backend.set_phase(kWorkload, "Stopping");
  pass_interval();
  EXPECT_THAT(told(*client), IsEmpty());
  backend.failure.reset();
  backend.set_phase(kWorkload, "Stopped");
  pass_interval();
  EXPECT_THAT(told(*client), ElementsAre("MODIFIED w Stopped"));
}

TEST_F(WatchRunTest, CountsAgainstTheLimitsUntilItsClientGoes) {
  auto first = watch();
  const auto second = watch();
  EXPECT_THAT(watch()->received(), StartsWith("HTTP/1.1 429 "));
  EXPECT_EQ(limits.running(), 2u);
  first.reset();
  run_until_idle();
  EXPECT_EQ(limits.running(), 1u);
  EXPECT_THAT(watch()->received(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(WatchRunTest, BeforeItsHeadErrorsAreAnswers) {
  const std::string gone = "/cluster-api/api/v1/gone/workloads?watch=1";
  EXPECT_EQ(status(gone), "404");
  EXPECT_EQ(status(gone, "Authorization: Bearer mallory\r\n"), "403");
  EXPECT_EQ(status(std::string(kWorkloads) + "x"), "400");
  EXPECT_EQ(limits.running(), 0u);
  stage = Stage::Draining;
  EXPECT_EQ(status(kWorkloads), "503");
}

TEST_F(WatchRunTest, RequestThatIsSentMeanwhileIsServedAfterwards) {
  tokens.expires_at = clock.wall_now() + seconds(5);
  const auto client = watch();
  client->send(request("/cluster-api/status"));
  run_until_idle();
  EXPECT_THAT(client->received(), Not(HasSubstr("\"status\":\"OK\"")));
  clock.advance(seconds(6));
  EXPECT_THAT(client->received(), HasSubstr("\"status\":\"OK\""));
}

TEST_F(WatchRunTest, IsCountedAsASession) {
  auto client = watch();
  EXPECT_THAT(metrics.exposition(), HasSubstr("sluice_sessions{kind=\"watch\"} 1\n"));
  client.reset();
  run_until_idle();
  const std::string text = metrics.exposition();
  EXPECT_THAT(text, HasSubstr("sluice_sessions{kind=\"watch\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("sluice_requests_total{endpoint=\"workloads\",status=\"200\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sluice_session_closes_total{code=\"1006\",kind=\"watch\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("sluice_session_sent_bytes_total{kind=\"watch\"} 0\n")));
}

/// A client that reads when the test says so, at the end of a narrow pipe.
class SlowWatchTest : public WatchRunTest {
 protected:
  SlowWatchTest() {
    server.emplace(loop.executor(), services);
    server->serve(std::move(pipe.server));
    const std::string head = request(kWorkloads);
    EXPECT_EQ(pipe.client->try_write(as_bytes(head)).value_or(0), head.size());
    run_until_idle();
  }
  /// All that comes until nothing more does; whether the connection was aborted.
  bool read_all() {
    std::byte buffer[4096];
    while (true) {
      const auto count = pipe.client->try_read(buffer);
      if (!count) return true;
      if (!*count || **count == 0) return false;
      text += as_text(Bytes(buffer).first(**count));
      run_until_idle();
    }
  }
  std::size_t count(std::string_view word) const {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) ++found;
    return found;
  }

  testing::MemoryPipe pipe{loop, {.capacity = 600}};
  std::string text;
};

TEST_F(SlowWatchTest, SlowClientGetsTheLatestStateLater) {
  read_all();
  pass_interval();
  for (int i = 0; i < 100; ++i) {
    backend.set_phase(kWorkload, "Phase" + std::to_string(i));
    pass_interval();
  }
  EXPECT_FALSE(read_all());
  pass_interval();
  read_all();
  EXPECT_LT(count("MODIFIED"), 6u);  // what the pipe held, one that waited, and the last one
  EXPECT_THAT(text, HasSubstr("Phase99"));
}

TEST_F(SlowWatchTest, ClientThatTakesNothingForTheIdleTimeIsAborted) {
  workload::WorkloadRef other = kWorkload;
  other.name = std::string(200, 'v');
  backend.add_workload(other);  // does not fit beside the first
  clock.advance(settings.idle_timeout - seconds(1));
  EXPECT_EQ(limits.running(), 1u);
  clock.advance(seconds(3));
  EXPECT_EQ(limits.running(), 0u);
  EXPECT_TRUE(read_all());
  EXPECT_THAT(text, Not(HasSubstr("END")));
}

TEST_F(SlowWatchTest, ClientThatTakesNothingAtTheEndIsAbortedSoon) {
  workload::WorkloadRef other = kWorkload;
  other.name = std::string(200, 'v');
  backend.add_workload(other);
  pass_interval();
  gateway().interrupt_sessions();
  run_until_idle();
  EXPECT_EQ(limits.running(), 1u);
  clock.advance(seconds(2));
  EXPECT_EQ(limits.running(), 0u);
  EXPECT_TRUE(read_all());
  EXPECT_THAT(text, Not(EndsWith(kLastChunk)));
}

}  // namespace
}  // namespace sluice::gateway
