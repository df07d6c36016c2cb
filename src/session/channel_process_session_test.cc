#include <gmock/gmock.h>

#include "session/session_test_support.h"

namespace sluice::session {
namespace {

using namespace std::string_literals;
using backend::Exited;
using backend::OutputChannel;
using ::testing::ElementsAre;
using testing::FakeProcess;
using ::testing::HasSubstr;

class ChannelProcessSessionTest : public SessionTest {
 protected:
  void start_process(std::shared_ptr<FakeProcess> started) {
    process = std::move(started);
    stream = FakeProcess::open(process, options.streams);
    start(run_process_session(context(), socket, *stream, options));
  }
  void start_idle_process() { start_process(std::make_shared<FakeProcess>(loop.executor())); }

  ProcessSessionOptions options{.framing = Framing::ChannelsV5,
                                .streams = {.stdin = true, .size = {}}};
  std::shared_ptr<FakeProcess> process;
  std::unique_ptr<backend::RemoteProcess> stream;
};

TEST_F(ChannelProcessSessionTest, StreamsStatusAndCloseInThisOrder) {
  start_idle_process();
  process->write(OutputChannel::Stdout, "out");
  process->write(OutputChannel::Stderr, "err");
  process->exit(Exited{0});
  finish();
  ASSERT_EQ(client.messages.size(), 4u);
  EXPECT_EQ(client.messages[0], "\x01");
  EXPECT_EQ(client.messages[1], "\x01out");
  EXPECT_EQ(client.messages[2],
            "\x02"
            "err");
  EXPECT_EQ(client.messages[3][0], '\x03');
  EXPECT_THAT(client.messages[3], HasSubstr(R"("status":"Success")"));
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::Normal, "exit code 0"}));
}

TEST_F(ChannelProcessSessionTest, AnExitCodeIsInTheStatusAndTheReason) {
  start_process(FakeProcess::exits(loop.executor(), "", Exited{3}));
  finish();
  EXPECT_THAT(client.messages.back(), HasSubstr(R"("message":"3")"));
  EXPECT_THAT(client.messages.back(), HasSubstr("NonZeroExitCode"));
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::Normal, "exit code 3"}));
}

TEST_F(ChannelProcessSessionTest, ASignalIsExitCode128AndMore) {
  start_process(FakeProcess::exits(loop.executor(), "", backend::Killed{9}));
  finish();
  EXPECT_THAT(client.messages.back(), HasSubstr(R"("message":"137")"));
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::Normal, "killed by signal 9"}));
}

TEST_F(ChannelProcessSessionTest, AFailureIsInTheStatusToo) {
  start_idle_process();
  process->fail_output({.code = ErrorCode::Unavailable, .message = "the node is gone"});
  finish();
  EXPECT_THAT(client.messages.back(), HasSubstr("the node is gone"));
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::InternalError, "the node is gone"}));
}

TEST_F(ChannelProcessSessionTest, TheFirstMessageIsOnTheLowestChannelThatIsWritten) {
  options.streams.stdout = false;
  start_idle_process();
  EXPECT_THAT(client.messages, ElementsAre("\x02"));
}

TEST_F(ChannelProcessSessionTest, StdinAndItsEndByCloseSignal) {
  start_process(FakeProcess::cat(loop.executor()));
  client.send("\0input"s);
  client.send("\xFF\0"s);
  finish();
  EXPECT_EQ(process->input, "input");
  EXPECT_THAT(client.messages, ::testing::Contains("\x01input"));
}

TEST_F(ChannelProcessSessionTest, IdleTimeDoesNotRunWhileTheEndOfInputIsStuck) {
  start_idle_process();
  process->set_input_room(0);
  client.send("\xFF\0"s);
  client.start_sending(std::string(1'000'000, '\0'));
  clock.advance(std::chrono::hours(1));
  EXPECT_TRUE(is_running());
}

TEST_F(ChannelProcessSessionTest, InVersion4TheCloseSignalIsUnknownAndIgnored) {
  options.framing = Framing::ChannelsV4;
  start_process(FakeProcess::cat(loop.executor()));
  client.send("\xFF\0"s);
  settle();
  EXPECT_TRUE(is_running());
  EXPECT_FALSE(process->input_ended);
}

TEST_F(ChannelProcessSessionTest, UnknownChannelsAndEmptyMessagesAreIgnored) {
  start_idle_process();
  client.send("\x09what");
  client.send("\x01not yours");
  client.send("");
  settle();
  EXPECT_TRUE(is_running());
  EXPECT_EQ(process->input, "");
}

TEST_F(ChannelProcessSessionTest, AMalformedCloseSignalEndsItWith1002) {
  start_idle_process();
  client.send("\xFF\0\0"s);
  EXPECT_EQ(finish().kind, SessionEndKind::ProtocolError);
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->code, ws::CloseCode::ProtocolError);
}

TEST_F(ChannelProcessSessionTest, ResizesTheTerminal) {
  options.streams.tty = true;
  start_idle_process();
  client.send("\x04{\"Width\":120,\"Height\":40}");
  settle();
  ASSERT_EQ(process->sizes.size(), 1u);
  EXPECT_EQ(process->sizes[0].width, 120);
  EXPECT_EQ(process->sizes[0].height, 40);
}

TEST_F(ChannelProcessSessionTest, WithoutStdinItsChannelIsIgnored) {
  options.streams.stdin = false;
  start_idle_process();
  client.send("\0input"s);
  settle();
  EXPECT_EQ(process->input, "");
  EXPECT_TRUE(is_running());
}

}  // namespace
}  // namespace sluice::session
