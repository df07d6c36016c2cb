#include "session/session_test_support.h"

namespace sluice::session {
namespace {

using namespace std::chrono_literals;
using backend::Exited;
using backend::OutputChannel;
using testing::FakeProcess;

class ProcessSessionTest : public SessionTest {
 protected:
  void start_process(std::shared_ptr<FakeProcess> started) {
    process = std::move(started);
    stream = FakeProcess::open(process, options.streams);
    start(run_process_session(context(), socket, *stream, options));
  }
  void start_idle_process() { start_process(std::make_shared<FakeProcess>(loop.executor())); }

  ProcessSessionOptions options{.streams = {.stdin = true, .size = {}}};
  std::shared_ptr<FakeProcess> process;
  std::unique_ptr<backend::RemoteProcess> stream;
};

TEST_F(ProcessSessionTest, AllOutputArrivesBeforeTheClose) {
  const std::string output(3'000'000, 'o');
  start_process(FakeProcess::exits(loop.executor(), output, Exited{3}));
  EXPECT_EQ(finish().kind, SessionEndKind::Completed);
  EXPECT_TRUE(client.all == output);
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::Normal, "exit code 3"}));
}

TEST_F(ProcessSessionTest, ASignalIsAResult) {
  start_process(FakeProcess::exits(loop.executor(), "", backend::Killed{9}));
  finish();
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::Normal, "killed by signal 9"}));
}

TEST_F(ProcessSessionTest, AProcessThatCouldNotStartEndsItWith1011) {
  start_process(FakeProcess::exits(loop.executor(), "", backend::ProcessFailed{"no such runtime"}));
  finish();
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::InternalError, "no such runtime"}));
}

TEST_F(ProcessSessionTest, ADeletedPodEndsItWith1001) {
  start_idle_process();
  process->write(OutputChannel::Stdout, "last words");
  process->exit(backend::ProcessDeleted{});
  finish();
  EXPECT_EQ(client.all, "last words");
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::GoingAway, "pod deleted"}));
}

TEST_F(ProcessSessionTest, ADescendantThatHoldsTheOutputHoldsTheClose) {
  start_idle_process();
  process->exit(Exited{0}, FakeProcess::Output::HeldByDescendant);
  settle();
  EXPECT_TRUE(is_running());
  process->write(OutputChannel::Stdout, "from the descendant");
  process->end_output();
  finish();
  EXPECT_EQ(client.all, "from the descendant");
}

TEST_F(ProcessSessionTest, ClosedOutputIsNotTheEndOfTheProcess) {
  start_idle_process();
  process->end_output();
  settle();
  EXPECT_TRUE(is_running());
  process->exit(Exited{0});
  EXPECT_EQ(finish().reason, "exit code 0");
}

TEST_F(ProcessSessionTest, EchoesThroughStdin) {
  start_process(FakeProcess::cat(loop.executor()));
  client.send("one ");
  client.send("two");
  settle();
  EXPECT_EQ(client.all, "one two");
  EXPECT_TRUE(is_running());
}

TEST_F(ProcessSessionTest, AnEmptyMessageEndsStdinWhenAskedFor) {
  options.empty_message = EmptyMessage::EndsInput;
  start_process(FakeProcess::cat(loop.executor()));
  client.send("all of it");
  client.send("");
  EXPECT_EQ(finish().reason, "exit code 0");
  EXPECT_EQ(client.all, "all of it");
}

TEST_F(ProcessSessionTest, AnEmptyMessageIsNothingOtherwise) {
  start_process(FakeProcess::cat(loop.executor()));
  client.send("");
  settle();
  EXPECT_FALSE(process->input_ended);
  EXPECT_TRUE(is_running());
}

TEST_F(ProcessSessionTest, WithoutStdinTheClientsBytesAreDropped) {
  options.streams.stdin = false;
  start_idle_process();
  client.send("ignored");
  settle();
  EXPECT_EQ(process->input, "");
  EXPECT_TRUE(is_running());
}

TEST_F(ProcessSessionTest, OnlyWantedStreamsAreSent) {
  options.streams.stderr = false;
  start_idle_process();
  process->write(OutputChannel::Stderr, "error");
  process->write(OutputChannel::Stdout, "output");
  settle();
  EXPECT_EQ(client.all, "output");
}

TEST_F(ProcessSessionTest, AProcessThatDoesNotReadStopsTheClient) {
  start_idle_process();
  process->set_input_room(0);
  client.start_sending(std::string(1'000'000, 'i'));
  EXPECT_GE(pipe.under_way_to_server(), 64_KiB);  // it stays in the network
  process->set_input_room(testing::kUnlimited);
  settle();
  EXPECT_EQ(process->input.size(), 1'000'000u);
}

TEST_F(ProcessSessionTest, IdleTimeDoesNotRunWhileTheProcessDoesNotRead) {
  start_idle_process();
  process->set_input_room(0);
  client.start_sending(std::string(1'000'000, 'i'));
  clock.advance(1h);
  EXPECT_TRUE(is_running());
}

TEST_F(ProcessSessionTest, AClientThatVanishesWhileTheProcessDoesNotReadIsNoticed) {
  start_idle_process();
  process->set_input_room(0);
  client.send("stuck");
  settle();
  pipe.reset();
  clock.advance(31s);
  EXPECT_EQ(finish().kind, SessionEndKind::Disconnected);
}

TEST_F(ProcessSessionTest, OutputFlowsWhileStdinIsStuck) {
  start_idle_process();
  process->set_input_room(0);
  client.send("stuck");
  process->write(OutputChannel::Stdout, "still here");
  settle();
  EXPECT_EQ(client.all, "still here");
}

TEST_F(ProcessSessionTest, ASlowClientStopsTheProcess) {
  client.stop_reading();
  start_process(FakeProcess::yes(loop.executor()));
  EXPECT_LE(process->bytes_read, 64_KiB + 2 * 256_KiB);
  client.start_reading();
  EXPECT_TRUE(is_running());
}

TEST_F(ProcessSessionTest, TheClientsCloseComesAfterWhatItSent) {
  start_idle_process();
  client.send("last input");
  client.close();
  EXPECT_EQ(finish().kind, SessionEndKind::ClientClosed);
  EXPECT_EQ(process->input, "last input");
}

TEST_F(ProcessSessionTest, AnExpiredTokenEndsItAlthoughDataFlows) {
  token_expires_at = clock.wall_now() + 10min;
  start_idle_process();
  for (int i = 0; i < 610 && is_running(); ++i) {
    process->write(OutputChannel::Stdout, "tick");
    clock.advance(1s);
  }
  EXPECT_EQ(finish().kind, SessionEndKind::TokenExpired);
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::PolicyViolation, "token expired"}));
}

TEST_F(ProcessSessionTest, AFailedUpstreamEndsItWith1011) {
  start_idle_process();
  process->fail_output({.code = ErrorCode::Unavailable, .message = "the node is gone"});
  finish();
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::InternalError, "the node is gone"}));
}

}  // namespace
}  // namespace sluice::session
