#include "session/session_test_support.h"

namespace sluice::session {
namespace {

using namespace std::chrono_literals;
using backend::StreamEnd;
using testing::FakeLog;

class LogSessionTest : public SessionTest {
 protected:
  void start_log(backend::LogOptions options = {.follow = true}) {
    stream = FakeLog::open(log, options);
    start(run_log_session(context(), socket, *stream));
  }

  std::shared_ptr<FakeLog> log = std::make_shared<FakeLog>(loop.executor());
  std::unique_ptr<backend::LogStream> stream;
};

TEST_F(LogSessionTest, SendsOneMessageALineAndThenEnds) {
  log->append("first\n");
  log->append("\n");
  log->append("last without an end");
  start_log({.follow = false});
  EXPECT_EQ(finish().kind, SessionEndKind::Completed);
  EXPECT_EQ(client.messages, (std::vector<std::string>{"first\n", "\n", "last without an end"}));
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::Normal, "end of logs"}));
  EXPECT_EQ(stats.lines, 3u);
}

TEST_F(LogSessionTest, FollowsUntilTheContainerEnds) {
  log->append("old\n");
  start_log();
  EXPECT_EQ(client.messages, (std::vector<std::string>{"old\n"}));
  log->append("new\n");
  settle();
  EXPECT_EQ(client.messages.back(), "new\n");
  EXPECT_TRUE(is_running());
  log->append("remaining\n");
  log->end(StreamEnd::Completed);
  finish();
  EXPECT_EQ(client.messages.back(), "remaining\n");
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::Normal, "container ended"}));
}

TEST_F(LogSessionTest, ADeletedPodEndsItWith1001) {
  start_log();
  log->end(StreamEnd::TargetDeleted);
  EXPECT_EQ(finish().kind, SessionEndKind::TargetDeleted);
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::GoingAway, "pod deleted"}));
}

TEST_F(LogSessionTest, LostLinesAreReportedWith1011) {
  start_log();
  log->fail({.code = ErrorCode::Internal, .message = "log lines lost"});
  finish();
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::InternalError, "log lines lost"}));
}

TEST_F(LogSessionTest, ALongLineIsOneMessageOfSeveralFrames) {
  log->piece_bytes = 10;
  log->append("a line of more than ten bytes\n");
  log->append("next\n");
  start_log({.follow = false});
  finish();
  EXPECT_EQ(client.messages,
            (std::vector<std::string>{"a line of more than ten bytes\n", "next\n"}));
}

TEST_F(LogSessionTest, WhatTheClientSaysIsDropped) {
  start_log();
  client.send("hello?");
  log->append("line\n");
  settle();
  EXPECT_TRUE(is_running());
  EXPECT_EQ(client.all, "line\n");
}

TEST_F(LogSessionTest, TheClientsCloseIsEchoed) {
  start_log();
  client.close(ws::CloseCode{4000});
  const SessionEnd ended = finish();
  EXPECT_EQ(ended.kind, SessionEndKind::ClientClosed);
  EXPECT_EQ(close_for(ended)->code, ws::CloseCode{4000});
}

TEST_F(LogSessionTest, AClientThatVanishesEndsIt) {
  start_log();
  pipe.reset();
  EXPECT_EQ(finish().kind, SessionEndKind::Disconnected);
}

TEST_F(LogSessionTest, BrokenFramesEndItWith1002) {
  start_log();
  client.send_raw("\x82\x01x");  // not masked
  EXPECT_EQ(finish().kind, SessionEndKind::ProtocolError);
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->code, ws::CloseCode::ProtocolError);
}

TEST_F(LogSessionTest, ASlowClientStopsTheSource) {
  for (int i = 0; i < 10'000; ++i) log->append(std::string(99, 'x') + "\n");
  log->block_bytes = 10'000;
  client.stop_reading();
  start_log({.follow = false});
  EXPECT_LE(log->blocks_read, 8u);  // the pipe holds 64 KiB, and one block waits
  EXPECT_TRUE(is_running());
  client.start_reading();
  finish();
  EXPECT_EQ(client.messages.size(), 10'000u);
}

TEST_F(LogSessionTest, AClientThatReadsNothingForFiveMinutesIsGivenUp) {
  for (int i = 0; i < 1'000; ++i) log->append(std::string(999, 'x') + "\n");
  client.stop_reading();
  start_log();
  clock.advance(4min + 59s);
  EXPECT_TRUE(is_running());
  clock.advance(2s);
  EXPECT_EQ(finish().kind, SessionEndKind::IdleTimeout);
}

TEST_F(LogSessionTest, AQuietLogLivesAsLongAsThePeerAnswersPings) {
  start_log();
  clock.advance(24h);
  EXPECT_TRUE(is_running());
  log->append("tomorrow\n");
  settle();
  EXPECT_EQ(client.all, "tomorrow\n");
}

TEST_F(LogSessionTest, PingsEvery30SecondsAreAnswered) {
  start_log();
  const std::uint64_t before = socket.bytes_received();
  clock.advance(29s);
  EXPECT_EQ(socket.bytes_received(), before);
  clock.advance(2s);
  EXPECT_GT(socket.bytes_received(), before);
}

TEST_F(LogSessionTest, AnExpiredTokenEndsItWith1008) {
  token_expires_at = clock.wall_now() + 1h;
  start_log();
  clock.advance(1h - 1s);
  EXPECT_TRUE(is_running());
  clock.advance(2s);
  finish();
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::PolicyViolation, "token expired"}));
}

TEST_F(LogSessionTest, AnInterruptionEndsIt) {
  start_log();
  interruption.interrupt({SessionEndKind::ShuttingDown, "server shutting down", {}});
  finish();
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::GoingAway, "server shutting down"}));
}

TEST_F(LogSessionTest, AnInterruptionBeforeItStartsEndsIt) {
  interruption.interrupt({SessionEndKind::ShuttingDown, "server shutting down", {}});
  start_log();
  EXPECT_EQ(finish().kind, SessionEndKind::ShuttingDown);
}

TEST_F(LogSessionTest, AnEndWhileDataIsUnderWayStillReachesAClientThatReads) {
  for (int i = 0; i < 1'000; ++i) log->append(std::string(999, 'x') + "\n");
  client.stop_reading();
  start_log();
  interruption.interrupt({SessionEndKind::ShuttingDown, "server shutting down", {}});
  settle();
  client.start_reading();
  finish();
  settle();
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::GoingAway, "server shutting down"}));
}

}  // namespace
}  // namespace sluice::session
