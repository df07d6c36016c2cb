#include "backend/kubernetes/streams/channel_process.h"

#include <gmock/gmock.h>

#include "backend/kubernetes/streams/stream_test_support.h"
#include "testing/read_streams.h"

namespace sluice::backend::kubernetes {
namespace {

using channel::Version;
using ::testing::HasSubstr;
using testing::read_output;
using testing::run;
using Kind = ChannelProcessOptions::Kind;

constexpr const char* kSuccess = R"({"metadata":{},"status":"Success"})";
constexpr const char* kExit3 = R"({"status":"Failure","reason":"NonZeroExitCode",)"
                               R"("details":{"causes":[{"reason":"ExitCode","message":"3"}]}})";
constexpr const char* kExit137 = R"({"status":"Failure","reason":"NonZeroExitCode",)"
                                 R"("details":{"causes":[{"reason":"ExitCode","message":"137"}]}})";
constexpr const char* kNotFound = R"({"status":"Failure","reason":"InternalError","code":500,)"
                                  R"("message":"\"x\" not found in $PATH"})";

const std::string kEndOfStdin("\xFF\x00", 2);

class ChannelProcessTest : public ::testing::Test {
 protected:
  void open(ChannelProcessOptions options = {}, std::unique_ptr<StdinHold> hold = nullptr) {
    process = std::make_unique<ChannelProcess>(bed.loop.executor(), bed.tasks, bed.make_upstream(),
                                               options, std::move(hold));
    testing::run_until_idle(bed.loop);
  }
  /// All output, then the end.
  std::string output() {
    const auto all = run(bed.loop, read_output(*process)).value();
    return all.stdout_text + "|" + all.stderr_text;
  }
  ProcessExit exit() {
    (void)output();
    return run(bed.loop, process->wait()).value();
  }
  ProcessExit exit_after(const char* status) {
    bed.say(message(3, status));
    bed.say_close();
    return exit();
  }
  template <typename T>
  bool ends_as() {
    return std::holds_alternative<T>(exit());
  }

  StreamTestBed bed;
  std::unique_ptr<ChannelProcess> process;
};

TEST_F(ChannelProcessTest, OutputIsSplitByChannelWhateverTheFraming) {
  open();
  bed.say(message(1, ""));
  bed.say(message(1, "out"));
  bed.say(message(2, "er"), false);
  bed.say("r", true, ws::Opcode::Continuation);
  bed.say("");
  bed.say(message(9, "of a later version"));
  bed.say(message(3, kSuccess));
  bed.say_close();
  EXPECT_EQ(output(), "out|err");
}

TEST_F(ChannelProcessTest, OutputLargerThanTheReadersBufferIsComplete) {
  open();
  const std::string large(20'000, 'x');
  bed.say(message(1, large));
  bed.say(message(3, kSuccess));
  bed.say_close();
  EXPECT_TRUE(output() == large + "|");
}

TEST_F(ChannelProcessTest, OutputAfterTheStatusIsDelivered) {
  open();
  bed.say(message(3, kExit3));
  bed.say(message(1, "late"));
  bed.say_close();
  EXPECT_EQ(output(), "late|");
  EXPECT_EQ(std::get<Exited>(exit()).code, 3);
}

TEST_F(ChannelProcessTest, TheStatusSaysTheResult) {
  open();
  EXPECT_EQ(std::get<Exited>(exit_after(kExit3)).code, 3);
}

TEST_F(ChannelProcessTest, ACodeAbove128IsASignal) {
  open();
  EXPECT_EQ(std::get<Killed>(exit_after(kExit137)).signal, 9);
}

TEST_F(ChannelProcessTest, ACommandThatCannotBeStartedFailsInTheRuntimesWords) {
  open();
  EXPECT_THAT(std::get<ProcessFailed>(exit_after(kNotFound)).message, HasSubstr("not found"));
}

TEST_F(ChannelProcessTest, OfWhatTheRuntimeSaysTheCauseIsKept) {
  open();
  const char* const failed =
      R"({"status":"Failure","reason":"InternalError","message":"error executing command in )"
      R"(container: failed to exec in container: failed to start exec \"5f\": OCI runtime exec )"
      R"(failed: exec failed: unable to start container process: exec: \"x\": executable file )"
      R"(not found in $PATH: unknown"})";
  EXPECT_EQ(std::get<ProcessFailed>(exit_after(failed)).message,
            R"(exec: "x": executable file not found in $PATH)");
}

TEST_F(ChannelProcessTest, AnAttachHasNoResultOfItsOwn) {
  open({.kind = Kind::Attach});
  EXPECT_TRUE(std::holds_alternative<Detached>(exit_after(kSuccess)));
}

TEST_F(ChannelProcessTest, AStatusInPiecesIsRead) {
  open();
  const std::string status = message(3, kExit3);
  bed.say(status.substr(0, 20), false);
  bed.say(status.substr(20), true, ws::Opcode::Continuation);
  bed.say_close();
  EXPECT_EQ(std::get<Exited>(exit()).code, 3);
}

TEST_F(ChannelProcessTest, AStatusHoldsWithoutAClose) {
  open();
  bed.say(message(3, kExit3));
  bed.hang_up();
  EXPECT_EQ(std::get<Exited>(exit()).code, 3);
}

TEST_F(ChannelProcessTest, AServerThatStaysSilentAfterTheStatusIsNotWaitedFor) {
  open();
  bed.say(message(3, kExit3));
  Background reading(bed.loop, read_output(*process));
  bed.clock.advance(ChannelProcess::kStatusPatience - milliseconds(1));
  EXPECT_FALSE(reading.is_done());
  bed.clock.advance(milliseconds(1));
  ASSERT_TRUE(reading.is_done());
  EXPECT_EQ(std::get<Exited>(exit()).code, 3);
}

TEST_F(ChannelProcessTest, ASlowReaderLosesNothingAfterTheStatus) {
  open();
  bed.say(message(3, kExit3));
  std::array<std::byte, 10> buffer;
  {
    Background reading(bed.loop, process->read(buffer));  // sees the status
  }
  bed.clock.advance(seconds(60));
  bed.say(message(1, "late"));
  bed.say_close();
  EXPECT_EQ(output(), "late|");
}

TEST_F(ChannelProcessTest, ACloseWithoutAStatusIsAFailure) {
  open();
  bed.say_close();
  EXPECT_TRUE(ends_as<ProcessFailed>());
}

TEST_F(ChannelProcessTest, ALostConnectionIsAFailure) {
  open();
  bed.say(message(1, "out"));
  bed.hang_up();
  EXPECT_EQ(output(), "out|");
  EXPECT_TRUE(ends_as<ProcessFailed>());
}

TEST_F(ChannelProcessTest, ABrokenStatusIsAFailure) {
  open();
  EXPECT_TRUE(std::holds_alternative<ProcessFailed>(exit_after("{")));
}

TEST_F(ChannelProcessTest, ACancelledReadDoesNotEndTheProcess) {
  open();
  std::array<std::byte, 10> buffer;
  {
    Background reading(bed.loop, process->read(buffer));
  }
  bed.say(message(1, "out"));
  EXPECT_EQ(run(bed.loop, process->read(buffer)).value().size, 3U);
}

// --- pods that go away

TEST_F(ChannelProcessTest, AResultInADeletedPodStaysAResult) {
  open();
  bed.delete_pod();
  EXPECT_EQ(std::get<Exited>(exit_after(kExit3)).code, 3);
}

TEST_F(ChannelProcessTest, AProcessKilledByThePodsDeletionIsDeleted) {
  open();
  bed.mark_pod_deleting();
  EXPECT_TRUE(std::holds_alternative<ProcessDeleted>(exit_after(kExit137)));
}

TEST_F(ChannelProcessTest, AnAttachOfADeletedPodIsDeleted) {
  open({.kind = Kind::Attach});
  bed.mark_pod_deleting();
  EXPECT_TRUE(std::holds_alternative<ProcessDeleted>(exit_after(kSuccess)));
}

TEST_F(ChannelProcessTest, AnEndWithoutStatusInADeletingPodIsDeleted) {
  open();
  bed.mark_pod_deleting();
  bed.hang_up();
  EXPECT_TRUE(ends_as<ProcessDeleted>());
}

TEST_F(ChannelProcessTest, AStreamThatFreezesWithItsPodEndsSoon) {
  open();
  Background reading(bed.loop, read_output(*process));
  bed.delete_pod();
  bed.clock.advance(Upstream::kGonePatience - milliseconds(1));
  EXPECT_FALSE(reading.is_done());
  bed.clock.advance(milliseconds(1));
  ASSERT_TRUE(reading.is_done());
  EXPECT_TRUE(ends_as<ProcessDeleted>());
}

TEST_F(ChannelProcessTest, OutputOfAPodThatIsGoneIsReadBySlowReaders) {
  open();
  bed.delete_pod();
  bed.say(message(1, "last words"));
  bed.clock.advance(seconds(60));
  bed.hang_up();
  EXPECT_EQ(output(), "last words|");
}

// --- stdin

TEST_F(ChannelProcessTest, StdinGoesOutInUnfragmentedMessages) {
  open({.stdin = true});
  const std::string input(100'000, 'x');
  Background writing(bed.loop, process->write(as_bytes(input)));
  const std::string first = bed.hear();
  const std::string second = bed.hear();
  EXPECT_LE(first.size(), Upstream::kMaxMessageBytes);
  EXPECT_TRUE(first.substr(1) + second.substr(1) == input);
  EXPECT_EQ(first.front(), 0);
  EXPECT_EQ(second.front(), 0);
}

TEST_F(ChannelProcessTest, WithoutStdinAWriteIsAConflict) {
  open();
  EXPECT_EQ(run(bed.loop, process->write(as_bytes("x"))).error().code, ErrorCode::Conflict);
}

TEST_F(ChannelProcessTest, StdinIsEndedOnce) {
  open({.stdin = true});
  ASSERT_TRUE(run(bed.loop, process->close_stdin()));
  ASSERT_TRUE(run(bed.loop, process->close_stdin()));
  ASSERT_TRUE(run(bed.loop, process->write(as_bytes("too late"))));
  EXPECT_EQ(bed.hear(), kEndOfStdin);
  EXPECT_EQ(bed.pipe.under_way_to_server(), 0U);
}

TEST_F(ChannelProcessTest, ATerminalsStdinEndsWithAKey) {
  open({.version = Version::V4, .stdin = true, .tty = true});
  ASSERT_TRUE(run(bed.loop, process->close_stdin()));
  EXPECT_EQ(bed.hear(), message(0, "\x04"));
}

TEST_F(ChannelProcessTest, AnAttachedTerminalsStdinIsLeftOpen) {
  open({.kind = Kind::Attach, .stdin = true, .tty = true});
  ASSERT_TRUE(run(bed.loop, process->close_stdin()));
  EXPECT_EQ(bed.pipe.under_way_to_server(), 0U);
}

TEST_F(ChannelProcessTest, AnOlderServerCannotBeToldTheEndOfStdin) {
  open({.version = Version::V4, .stdin = true});
  ASSERT_TRUE(run(bed.loop, process->close_stdin()));
  EXPECT_EQ(bed.pipe.under_way_to_server(), 0U);
}

TEST_F(ChannelProcessTest, AWriteToALostConnectionIsLeftToTheReader) {
  open({.stdin = true});
  bed.hang_up();
  EXPECT_TRUE(run(bed.loop, process->write(as_bytes("x"))));
  EXPECT_TRUE(run(bed.loop, process->close_stdin()));
}

TEST_F(ChannelProcessTest, AFullStdinHoldsTheWriterBack) {
  bed.pipe.set_options({.capacity = 1000});
  open({.stdin = true});
  const std::string input(5'000, 'x');
  Background writing(bed.loop, process->write(as_bytes(input)));
  EXPECT_FALSE(writing.is_done());
  EXPECT_TRUE(bed.hear() == message(0, input));
  EXPECT_TRUE(writing.is_done());
}

TEST_F(ChannelProcessTest, AStuckStdinIsNotTakenForADeadServer) {
  bed.pipe.set_options({.capacity = 1000});
  open({.stdin = true});
  Background reading(bed.loop, read_output(*process));
  const std::string input(5'000, 'x');
  Background writing(bed.loop, process->write(as_bytes(input)));
  bed.clock.advance(std::chrono::hours(3));
  EXPECT_FALSE(reading.is_done());
  EXPECT_FALSE(writing.is_done());
}

// --- the terminal's size

TEST_F(ChannelProcessTest, OnlyTheLatestSizeWaitsForItsTurn) {
  bed.pipe.set_options({.capacity = 100});
  open({.stdin = true, .tty = true});
  const std::string input(500, 'x');
  Background writing(bed.loop, process->write(as_bytes(input)));
  for (std::uint16_t width = 1; width <= 3; ++width) process->resize({.width = width, .height = 9});
  testing::run_until_idle(bed.loop);
  EXPECT_TRUE(bed.hear() == message(0, input));
  EXPECT_EQ(bed.hear(), message(4, R"({"Width":3,"Height":9})"));
  EXPECT_EQ(bed.pipe.under_way_to_server(), 0U);
}

TEST_F(ChannelProcessTest, WithoutATerminalThereIsNoSize) {
  open();
  process->resize({.width = 1, .height = 1});
  testing::run_until_idle(bed.loop);
  EXPECT_EQ(bed.pipe.under_way_to_server(), 0U);
}

TEST_F(ChannelProcessTest, ASizeThatWaitsOutlivesTheProcess) {
  bed.pipe.set_options({.capacity = 100});
  open({.stdin = true, .tty = true});
  const std::string input(500, 'x');
  {
    Background writing(bed.loop, process->write(as_bytes(input)));
    process->resize({.width = 1, .height = 1});
  }
  EXPECT_TRUE(bed.hear() == message(0, input));
  EXPECT_EQ(bed.hear(), message(4, R"({"Width":1,"Height":1})"));
  process->resize({.width = 2, .height = 2});  // its task has not begun when the process is dropped
  process.reset();
  EXPECT_EQ(bed.hear(), message(0, "\x03\x04"));
  EXPECT_EQ(bed.hear(), message(4, R"({"Width":2,"Height":2})"));
  EXPECT_EQ(bed.hear(), "close 1000");
}

// --- letting go of it

TEST_F(ChannelProcessTest, WhatWasWrittenGoesBeforeTheClose) {
  bed.pipe.set_options({.capacity = 1000});
  open({.kind = Kind::Attach, .stdin = true});
  const std::string input(5'000, 'x');
  {
    Background writing(bed.loop, process->write(as_bytes(input)));
  }
  process.reset();
  EXPECT_TRUE(bed.hear() == message(0, input));
  EXPECT_EQ(bed.hear(), "close 1000");
}

TEST_F(ChannelProcessTest, ADroppedExecGetsTheEndOfItsStdin) {
  open({.stdin = true});
  process.reset();
  EXPECT_EQ(bed.hear(), kEndOfStdin);
  EXPECT_EQ(bed.hear(), "close 1000");
}

TEST_F(ChannelProcessTest, ADroppedExecAtATerminalIsInterrupted) {
  open({.stdin = true, .tty = true});
  process.reset();
  EXPECT_EQ(bed.hear(), message(0, "\x03\x04"));
}

TEST_F(ChannelProcessTest, AnExecThatIsToBeLeftAloneIsOnlyLeft) {
  open({.stdin = true, .tty = true, .on_disconnect = OnDisconnect::Leave});
  process.reset();
  EXPECT_EQ(bed.hear(), "close 1000");
}

TEST_F(ChannelProcessTest, ADroppedAttachLeavesItsTargetAlone) {
  open({.kind = Kind::Attach, .stdin = true, .tty = true});
  process.reset();
  EXPECT_EQ(bed.hear(), "close 1000");
}

TEST_F(ChannelProcessTest, AStuckServerIsNotWaitedForForEver) {
  bed.pipe.set_options({.capacity = 100});
  open({.stdin = true});
  const std::string input(500, 'x');
  {
    Background writing(bed.loop, process->write(as_bytes(input)));
  }
  process.reset();
  bed.clock.advance(Upstream::kClosePatience);
  EXPECT_EQ(bed.clock.sleeping(), 0U);
}

TEST_F(ChannelProcessTest, TheHoldOnStdinEndsWithTheProcess) {
  StdinHolds holds;
  open({.kind = Kind::Attach, .stdin = true}, holds.take("id"));
  EXPECT_EQ(holds.take("id"), nullptr);
  EXPECT_NE(holds.take("another"), nullptr);
  process.reset();
  EXPECT_NE(holds.take("id"), nullptr);
}

// --- keeping it alive

TEST_F(ChannelProcessTest, ADeadServerIsFoundByItsMissingPongs) {
  open();
  Background reading(bed.loop, read_output(*process));
  bed.clock.advance(Upstream::kMissingPongs * Upstream::kPingInterval - seconds(1));
  EXPECT_FALSE(reading.is_done());
  bed.clock.advance(seconds(1));
  ASSERT_TRUE(reading.is_done());
  EXPECT_TRUE(ends_as<ProcessFailed>());
}

TEST_F(ChannelProcessTest, AServerThatSpeaksIsNotPinged) {
  open();
  Background reading(bed.loop, read_output(*process));
  for (int i = 0; i < 10; ++i) {
    bed.say(message(1, "out"));
    bed.clock.advance(Upstream::kPingInterval / 2);
  }
  EXPECT_EQ(bed.pipe.under_way_to_server(), 0U);
  bed.clock.advance(Upstream::kPingInterval);
  EXPECT_GT(bed.pipe.under_way_to_server(), 0U);
}

TEST_F(ChannelProcessTest, AQuietServerThatAnswersPingsIsKept) {
  open();
  Background reading(bed.loop, read_output(*process));
  Background serving(bed.loop, receive_text(*bed.server));  // answers pings
  bed.clock.advance(Upstream::kMessageInterval - Upstream::kPingInterval);
  EXPECT_FALSE(reading.is_done());
  EXPECT_FALSE(serving.is_done());
  bed.clock.advance(Upstream::kPingInterval);
  ASSERT_TRUE(serving.is_done());
  EXPECT_EQ(serving.get(), "") << "a message, since pings don't count as use";
}

}  // namespace
}  // namespace sluice::backend::kubernetes
