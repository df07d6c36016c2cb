#include "session/recorded_process.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "recording/recording_folder.h"
#include "session/session_test_support.h"
#include "testing/temporary_folder.h"

namespace sluice::session {
namespace {

using backend::OutputChannel;
using testing::FakeProcess;
using ::testing::HasSubstr;
using ::testing::Not;

class RecordedProcessTest : public SessionTest {
 protected:
  void start_recorded() {
    recorder = std::make_unique<recording::Recorder>(
        *recording::RecordingFolder::open(folder.path()), recorder_options, metrics);
    recording::Subject subject{.file_name = "a.cast", .user = "alice", .header = {}};
    recording =
        *testing::run(loop, recording::Recording::begin(*recorder, std::move(subject), clock));
    recording->start();
    recording->on_failure([this](const Error& failure) {
      interruption.interrupt({SessionEndKind::RecordingFailed, failure.message, {}, {}});
    });
    process = std::make_shared<FakeProcess>(loop.executor());
    backend::StreamOptions streams = options.streams;
    streams.tty = has_terminal.value_or(streams.tty);
    recorded = std::make_unique<RecordedProcess>(FakeProcess::open(process, streams), *recording,
                                                 options.streams);
    start(run_process_session(context(), socket, *recorded, options));
  }
  /// A session whose client says that its terminal has become 100 wide and 30 high.
  void start_and_resize() {
    options.framing = Framing::ChannelsV5;
    start_recorded();
    client.send("\x04{\"Width\":100,\"Height\":30}");
    settle();
  }
  /// What there is in the end.
  std::string content() {
    if (is_running()) client.close();
    finish();
    recorded.reset();
    recording.reset();
    recorder.reset();
    return read_file(folder / "a.cast", 1 << 20).value_or("missing");
  }

  testing::TemporaryFolder folder;
  Metrics metrics;
  recording::RecorderOptions recorder_options;
  ProcessSessionOptions options{.streams = {.stdin = true, .size = {}}};
  std::optional<bool> has_terminal;  // whatever the request says: an attach can't choose
  std::unique_ptr<recording::Recorder> recorder;
  std::unique_ptr<recording::Recording> recording;
  std::shared_ptr<FakeProcess> process;
  std::unique_ptr<backend::RemoteProcess> recorded;
};

TEST_F(RecordedProcessTest, WhatTheClientGetsIsRecorded) {
  options.streams.stderr = false;
  start_recorded();
  process->write(OutputChannel::Stdout, "output");
  process->write(OutputChannel::Stderr, "unwanted");
  process->exit(backend::Exited{0});
  finish();
  EXPECT_EQ(client.all, "output");
  const std::string text = content();
  EXPECT_THAT(text, HasSubstr("\"o\", \"output\""));
  EXPECT_THAT(text, Not(HasSubstr("unwanted")));
}

TEST_F(RecordedProcessTest, WhatTheClientSendsIsNotRecordedUnlessWanted) {
  start_recorded();
  client.send("secret");
  settle();
  EXPECT_EQ(process->input, "secret");
  EXPECT_THAT(content(), Not(HasSubstr("secret")));
}

TEST_F(RecordedProcessTest, WhatTheClientSendsIsRecordedWhereThatIsWanted) {
  recorder_options.input = true;
  start_recorded();
  client.send("typed");
  settle();
  EXPECT_EQ(process->input, "typed");
  EXPECT_THAT(content(), HasSubstr("\"i\", \"typed\""));
}

TEST_F(RecordedProcessTest, SizesOfATerminalAreRecorded) {
  options.streams.tty = true;
  start_and_resize();
  EXPECT_EQ(process->sizes.size(), 1U);
  EXPECT_THAT(content(), HasSubstr("\"r\", \"100x30\""));
}

TEST_F(RecordedProcessTest, SizesOfATerminalThatTheRequestDidNotNameAreRecorded) {
  has_terminal = true;
  start_and_resize();
  EXPECT_EQ(process->sizes.size(), 1U);
  EXPECT_THAT(content(), HasSubstr("\"r\", \"100x30\""));
}

TEST_F(RecordedProcessTest, SizesOfATerminalThatIsNotThereAreNotRecorded) {
  options.streams.tty = true;
  has_terminal = false;
  start_and_resize();
  EXPECT_THAT(content(), Not(HasSubstr("\"r\"")));
}

TEST_F(RecordedProcessTest, ASessionThatMustBeRecordedEndsWithItsRecording) {
  recorder_options.on_failure = recording::OnFailure::Refuse;
  recorder_options.max_bytes = 100;
  start_recorded();
  process->write(OutputChannel::Stdout, std::string(100, 'x'));
  while (is_running()) settle();  // until the recorder's thread has seen to it
  EXPECT_EQ(finish().kind, SessionEndKind::RecordingFailed);
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::InternalError,
                                      "the session's recording has reached its largest size"}));
}

}  // namespace
}  // namespace sluice::session
