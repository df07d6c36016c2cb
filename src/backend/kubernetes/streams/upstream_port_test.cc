#include "backend/kubernetes/streams/upstream_port.h"

#include <array>

#include <gmock/gmock.h>

#include "backend/kubernetes/streams/channel_framing.h"
#include "backend/kubernetes/streams/spdy_framing.h"
#include "backend/kubernetes/streams/stream_test_support.h"
#include "testing/read_streams.h"

namespace sluice::backend::kubernetes {
namespace {

using namespace std::string_literals;
using testing::read_port;
using testing::run;

enum class Way { Channels, Spdy };

/// A port that is open, and what the server says of it.
class UpstreamPortTest : public ::testing::TestWithParam<Way> {
 protected:
  UpstreamPortTest() {
    std::unique_ptr<PortFraming> framing = std::make_unique<ChannelFraming>();
    if (is_spdy()) framing = std::make_unique<SpdyFraming>(std::uint16_t{80});
    port = std::make_unique<UpstreamPort>(bed.loop.executor(), bed.tasks, bed.make_upstream(),
                                          std::move(framing));
    EXPECT_TRUE(run(bed.loop, port->open()));
    if (is_spdy()) {
      EXPECT_EQ(bed.hear(), SpdyFraming(80).opening());
    } else {
      bed.say(message(0, "\x50\0"s));
      bed.say(message(1, "\x50\0"s));
    }
  }

  static bool is_spdy() { return GetParam() == Way::Spdy; }
  static std::string frame(SpdyStreamId stream, std::string_view text) {
    return std::string(as_text(spdy_data_header(stream, text.size()))) + std::string(text);
  }
  /// As it stands on the wire, in either direction.
  static std::string data(std::string_view text) {
    return is_spdy() ? frame(3, text) : message(0, text);
  }
  static std::string trouble(std::string_view text) {
    return is_spdy() ? frame(1, text) : message(1, text);
  }
  /// The connection has ended.
  void say_end() { is_spdy() ? bed.say(spdy_end(1) + spdy_end(3)) : bed.say_close(); }

  /// We send no more.
  void hear_farewell() { EXPECT_EQ(bed.hear(), is_spdy() ? spdy_end(3) : "close 1000"); }

  Result<std::string> read() { return run(bed.loop, read_port(*port)); }

  StreamTestBed bed;
  std::unique_ptr<UpstreamPort> port;
};

INSTANTIATE_TEST_SUITE_P(Ways, UpstreamPortTest, ::testing::Values(Way::Channels, Way::Spdy),
                         [](const auto& way) {
                           return way.param == Way::Spdy ? "Spdy" : "Channels";
                         });

TEST_P(UpstreamPortTest, GivesWhatThePodSendsUntilItsEnd) {
  bed.say(data("hello, "));
  bed.say(data("world"));
  say_end();
  EXPECT_EQ(read(), "hello, world");
  EXPECT_EQ(port->end(), StreamEnd::Completed);
}

TEST_P(UpstreamPortTest, WhatHasComeIsReadAtOnceAsFarAsItFits) {
  bed.say(data("one, "));
  bed.say(data("two, "));
  bed.say(data("three"));
  std::array<std::byte, 12> into;
  EXPECT_EQ(run(bed.loop, port->read(into)), 12U);
  EXPECT_EQ(as_text(into), "one, two, th");
  EXPECT_EQ(run(bed.loop, port->read(into)), 3U);
}

TEST_P(UpstreamPortTest, WhatCameBeforeAFailureIsReadFirst) {
  bed.say(data("one, "));
  bed.say(data("two"));
  bed.hang_up();
  EXPECT_EQ(run(bed.loop, read_port(*port, 8)), "one, two");
  EXPECT_EQ(read().error().code, ErrorCode::Unavailable);
  EXPECT_EQ(read().error().code, ErrorCode::Unavailable);
}

TEST_P(UpstreamPortTest, BytesGoOutInMessagesThatAreNotFragmented) {
  const std::string bytes(100'000, 'x');
  Background writing(bed.loop, port->write(as_bytes(bytes)));
  const std::size_t header = data("").size();
  const std::string first = bed.hear();
  const std::string second = bed.hear();
  EXPECT_LE(first.size(), Upstream::kMaxMessageBytes);
  EXPECT_TRUE(first == data(bytes.substr(0, first.size() - header)));
  EXPECT_TRUE(second == data(bytes.substr(first.size() - header)));
}

TEST_P(UpstreamPortTest, ARefusedPortSaysSoInShort) {
  bed.say(
      trouble("error forwarding port 80 to pod 0a1b, uid : dial tcp4 127.0.0.1:80: connect: "
              "connection refused"));
  say_end();
  const auto failed = read();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(failed.error().message, "connection refused");
}

TEST_P(UpstreamPortTest, DataIsDeliveredBeforeTheError) {
  bed.say(trouble("something else\n"));
  bed.say(data("data"));
  say_end();
  EXPECT_EQ(run(bed.loop, read_port(*port, 4)), "data");
  EXPECT_EQ(read().error().message, "something else");
}

TEST_P(UpstreamPortTest, AServerThatStaysSilentAfterAnErrorIsNotWaitedFor) {
  bed.say(trouble("connection refused"));
  Background reading(bed.loop, read_port(*port));
  bed.clock.advance(UpstreamPort::kErrorPatience);
  ASSERT_TRUE(reading.is_done());
  EXPECT_EQ(reading.get().error().message, "connection refused");
}

TEST_P(UpstreamPortTest, ALostConnectionIsNoCleanEnd) {
  bed.say(data("half of "));
  bed.hang_up();
  EXPECT_EQ(run(bed.loop, read_port(*port, 8)), "half of ");
  EXPECT_EQ(read().error().code, ErrorCode::Unavailable);
  EXPECT_FALSE(port->end());
}

TEST_P(UpstreamPortTest, AWriteToALostConnectionFails) {
  bed.hang_up();
  EXPECT_EQ(run(bed.loop, port->write(as_bytes("x"))).error().code, ErrorCode::Unavailable);
}

TEST_P(UpstreamPortTest, AStreamThatFreezesWithItsPodEndsSoon) {
  Background reading(bed.loop, read_port(*port));
  bed.delete_pod();
  bed.clock.advance(Upstream::kGonePatience);
  ASSERT_TRUE(reading.is_done());
  EXPECT_EQ(port->end(), StreamEnd::TargetDeleted);
}

TEST_P(UpstreamPortTest, AConnectionThatBreaksInADeletingPodIsDeleted) {
  bed.mark_pod_deleting();
  bed.say(trouble("connection reset by peer"));
  say_end();
  EXPECT_EQ(read(), "");
  EXPECT_EQ(port->end(), StreamEnd::TargetDeleted);
}

TEST_P(UpstreamPortTest, AHalfCloseIsHeldBackWhileThePodSpeaks) {
  Background reading(bed.loop, read_port(*port, 20));
  ASSERT_TRUE(run(bed.loop, port->half_close()));
  for (int i = 0; i < 3; ++i) {
    bed.clock.advance(UpstreamPort::kHalfClosePatience - seconds(1));
    bed.say(data("more"));
  }
  bed.clock.advance(UpstreamPort::kHalfClosePatience - seconds(1));
  EXPECT_FALSE(reading.is_done());
  bed.say(data("the rest"));
  EXPECT_EQ(reading.get(), "moremoremorethe rest");
}

TEST_P(UpstreamPortTest, AHalfCloseIsPassedOnOnceThePodIsSilent) {
  Background reading(bed.loop, read_port(*port));
  ASSERT_TRUE(run(bed.loop, port->write(as_bytes("last"))));
  ASSERT_TRUE(run(bed.loop, port->half_close()));
  ASSERT_TRUE(run(bed.loop, port->half_close())) << "idempotent";
  bed.clock.advance(UpstreamPort::kHalfClosePatience);
  EXPECT_EQ(bed.hear(), data("last"));
  hear_farewell();
  bed.say(data("answer"));
  say_end();
  EXPECT_EQ(reading.get(), "answer");
  EXPECT_EQ(port->end(), StreamEnd::Completed);
}

TEST_P(UpstreamPortTest, AServerThatDoesNotAnswerToItIsNotWaitedFor) {
  Background reading(bed.loop, read_port(*port));
  ASSERT_TRUE(run(bed.loop, port->half_close()));
  bed.clock.advance(UpstreamPort::kHalfClosePatience + Upstream::kClosePatience);
  EXPECT_TRUE(reading.is_done());
  EXPECT_EQ(port->end(), StreamEnd::Completed);
}

TEST_P(UpstreamPortTest, AHalfCloseThatIsHeldBackOutlivesThePort) {
  ASSERT_TRUE(run(bed.loop, port->half_close()));
  port.reset();
  hear_farewell();
}

TEST_P(UpstreamPortTest, WhatWasWrittenReachesASlowPodBeforeTheClose) {
  bed.pipe.set_options({.capacity = 1000});
  const std::string bytes(30'000, 'x');
  {
    Background writing(bed.loop, port->write(as_bytes(bytes)));
  }
  port.reset();
  bed.clock.advance(Upstream::kClosePatience - seconds(1));
  EXPECT_TRUE(bed.hear() == data(bytes));
  hear_farewell();
}

TEST_P(UpstreamPortTest, ACloseIsACleanEndOnlyWhereTheConnectionHasNoneOfItsOwn) {
  bed.say(data("half of"));
  bed.say_close();
  const auto all = read();
  EXPECT_EQ(all.has_value(), !is_spdy());
  EXPECT_EQ(port->end().has_value(), !is_spdy());
}

TEST_P(UpstreamPortTest, TheWebSocketOfAPortThatWasDroppedOutlivesItsConnection) {
  port.reset();
  hear_farewell();
  if (!is_spdy()) return;  // there, the two are the same
  bed.say(data("nobody reads this"));
  bed.clock.advance(Upstream::kClosePatience - seconds(1));
  say_end();
  EXPECT_EQ(bed.hear(), "close 1000");
}

TEST_P(UpstreamPortTest, AConnectionThatFailedIsNotWaitedFor) {
  bed.say(trouble("connection refused"));
  say_end();
  EXPECT_FALSE(read());
  port.reset();
  EXPECT_EQ(bed.hear(), "close 1000");
}

TEST_P(UpstreamPortTest, AConnectionThatDoesNotEndIsNotWaitedForLong) {
  port.reset();
  hear_farewell();
  for (nanoseconds waited{}; waited < Upstream::kClosePatience; waited += seconds(1)) {
    bed.say(data("more and more"));
    bed.clock.advance(seconds(1));
  }
  EXPECT_EQ(bed.clock.sleeping(), 0U);
}

TEST_P(UpstreamPortTest, StoppingTheBackendWaitsForNoServer) {
  port.reset();
  run(bed.loop, bed.tasks.stop());
  EXPECT_EQ(bed.clock.sleeping(), 0U);
}

TEST_P(UpstreamPortTest, StoppingGoesOnWhenItIsCancelled) {
  port.reset();
  net::TaskGroup group(bed.loop.executor());
  group.spawn("stop", bed.tasks.stop());
  group.cancel();
  testing::run_until_empty(bed.loop, group);
  EXPECT_EQ(bed.clock.sleeping(), 0U);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
