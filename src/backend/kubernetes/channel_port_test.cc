#include "backend/kubernetes/channel_port.h"

#include <gmock/gmock.h>

#include "backend/kubernetes/stream_test_support.h"
#include "testing/read_streams.h"

namespace sluice::backend::kubernetes {
namespace {

using testing::read_port;
using testing::run;

const std::string kPort80("\x50\x00", 2);

class ChannelPortTest : public ::testing::Test {
 protected:
  ChannelPortTest() {
    port = std::make_unique<ChannelPort>(bed.loop.executor(), bed.tasks, bed.make_upstream());
    testing::run_until_idle(bed.loop);
  }
  void announce() {
    bed.say(message(0, kPort80));
    bed.say(message(1, kPort80));
  }
  Result<std::string> read() { return run(bed.loop, read_port(*port)); }

  StreamTestBed bed;
  std::unique_ptr<ChannelPort> port;
};

TEST_F(ChannelPortTest, AnnouncementsAreNoData) {
  announce();
  bed.say(message(0, "hello"));
  bed.say_close();
  EXPECT_EQ(read(), "hello");
  EXPECT_EQ(port->end(), StreamEnd::Completed);
}

TEST_F(ChannelPortTest, AnnouncementsMayComeInPieces) {
  bed.say(message(0, "\x50"), false);
  bed.say(std::string(1, '\0'), true, ws::Opcode::Continuation);
  bed.say(std::string("\x01", 1), false);
  bed.say(kPort80, true, ws::Opcode::Continuation);
  bed.say(message(0, "hel"), false);
  bed.say("lo", true, ws::Opcode::Continuation);
  bed.say_close();
  EXPECT_EQ(read(), "hello");
}

TEST_F(ChannelPortTest, BytesGoOutOnTheDataChannelUnfragmented) {
  const std::string bytes(50'000, 'x');
  ASSERT_TRUE(run(bed.loop, port->write(as_bytes(bytes))));
  const std::string first = bed.hear();
  const std::string second = bed.hear();
  EXPECT_EQ(first.size(), Upstream::kMaxMessageBytes);
  EXPECT_TRUE(first.substr(1) + second.substr(1) == bytes);
  EXPECT_EQ(first.front(), 0);
}

TEST_F(ChannelPortTest, ARefusedPortSaysSoInShort) {
  announce();
  bed.say(message(1,
                  "error forwarding port 80 to pod 0a1b, uid : dial tcp4 127.0.0.1:80: connect: "
                  "connection refused"));
  bed.say_close();
  const auto failed = read();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(failed.error().message, "connection refused");
}

TEST_F(ChannelPortTest, DataIsDeliveredBeforeTheError) {
  announce();
  bed.say(message(1, "something else\n"));
  bed.say(message(0, "data"));
  bed.say_close();
  EXPECT_EQ(run(bed.loop, read_port(*port, 4)), "data");
  EXPECT_EQ(read().error().message, "something else");
}

TEST_F(ChannelPortTest, AServerThatStaysSilentAfterAnErrorIsNotWaitedFor) {
  announce();
  bed.say(message(1, "connection refused"));
  Background reading(bed.loop, read_port(*port));
  bed.clock.advance(ChannelPort::kErrorPatience);
  ASSERT_TRUE(reading.is_done());
  EXPECT_EQ(reading.get().error().message, "connection refused");
}

TEST_F(ChannelPortTest, ALostConnectionIsNoCleanEnd) {
  announce();
  bed.say(message(0, "half of "));
  bed.hang_up();
  EXPECT_EQ(run(bed.loop, read_port(*port, 8)), "half of ");
  EXPECT_EQ(read().error().code, ErrorCode::Unavailable);
  EXPECT_FALSE(port->end());
}

TEST_F(ChannelPortTest, AWriteToALostConnectionFails) {
  bed.hang_up();
  EXPECT_EQ(run(bed.loop, port->write(as_bytes("x"))).error().code, ErrorCode::Unavailable);
}

TEST_F(ChannelPortTest, AStreamThatFreezesWithItsPodEndsSoon) {
  announce();
  Background reading(bed.loop, read_port(*port));
  bed.delete_pod();
  bed.clock.advance(Upstream::kGonePatience);
  ASSERT_TRUE(reading.is_done());
  EXPECT_EQ(port->end(), StreamEnd::TargetDeleted);
}

TEST_F(ChannelPortTest, AConnectionThatBreaksInADeletingPodIsDeleted) {
  announce();
  bed.mark_pod_deleting();
  bed.say(message(1, "connection reset by peer"));
  bed.say_close();
  EXPECT_EQ(read(), "");
  EXPECT_EQ(port->end(), StreamEnd::TargetDeleted);
}

TEST_F(ChannelPortTest, AHalfCloseIsHeldBackWhileThePodSpeaks) {
  announce();
  Background reading(bed.loop, read_port(*port, 20));
  ASSERT_TRUE(run(bed.loop, port->half_close()));
  for (int i = 0; i < 3; ++i) {
    bed.clock.advance(ChannelPort::kHalfClosePatience - seconds(1));
    bed.say(message(0, "more"));
  }
  bed.clock.advance(ChannelPort::kHalfClosePatience - seconds(1));
  EXPECT_FALSE(reading.is_done());
  bed.say(message(0, "the rest"));
  EXPECT_EQ(reading.get(), "moremoremorethe rest");
}

TEST_F(ChannelPortTest, AHalfCloseBecomesACloseOnceThePodIsSilent) {
  announce();
  Background reading(bed.loop, read_port(*port));
  ASSERT_TRUE(run(bed.loop, port->write(as_bytes("last"))));
  ASSERT_TRUE(run(bed.loop, port->half_close()));
  ASSERT_TRUE(run(bed.loop, port->half_close())) << "idempotent";
  bed.clock.advance(ChannelPort::kHalfClosePatience);
  EXPECT_EQ(bed.hear(), message(0, "last"));
  EXPECT_EQ(bed.hear(), "close 1000");
  bed.say(message(0, "answer"));
  bed.say_close();
  EXPECT_EQ(reading.get(), "answer");
  EXPECT_EQ(port->end(), StreamEnd::Completed);
}

TEST_F(ChannelPortTest, AServerThatDoesNotAnswerThatCloseIsNotWaitedFor) {
  announce();
  Background reading(bed.loop, read_port(*port));
  ASSERT_TRUE(run(bed.loop, port->half_close()));
  bed.clock.advance(ChannelPort::kHalfClosePatience + Upstream::kClosePatience);
  EXPECT_TRUE(reading.is_done());
  EXPECT_EQ(port->end(), StreamEnd::Completed);
}

TEST_F(ChannelPortTest, AHalfCloseThatIsHeldBackOutlivesThePort) {
  ASSERT_TRUE(run(bed.loop, port->half_close()));
  port.reset();
  EXPECT_EQ(bed.hear(), "close 1000");
}

TEST_F(ChannelPortTest, WhatWasWrittenReachesASlowPodBeforeTheClose) {
  bed.pipe.set_options({.capacity = 1000});
  const std::string bytes(30'000, 'x');
  {
    Background writing(bed.loop, port->write(as_bytes(bytes)));
  }
  port.reset();
  bed.clock.advance(Upstream::kClosePatience - seconds(1));
  EXPECT_TRUE(bed.hear() == message(0, bytes));
  EXPECT_EQ(bed.hear(), "close 1000");
}

TEST_F(ChannelPortTest, StoppingTheBackendWaitsForNoServer) {
  port.reset();
  run(bed.loop, bed.tasks.stop());
  EXPECT_EQ(bed.clock.sleeping(), 0U);
}

TEST_F(ChannelPortTest, StoppingGoesOnWhenItIsCancelled) {
  port.reset();
  net::TaskGroup group(bed.loop.executor());
  group.spawn("stop", bed.tasks.stop());
  group.cancel();
  testing::run_until_empty(bed.loop, group);
  EXPECT_EQ(bed.clock.sleeping(), 0U);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
