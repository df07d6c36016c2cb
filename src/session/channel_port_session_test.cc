#include <gmock/gmock.h>

#include "session/session_test_support.h"

namespace sluice::session {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using backend::StreamEnd;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FakePort;

class ChannelPortSessionTest : public SessionTest {
 protected:
  /// Ports 8080, 8081 …; where there is no connection, it is refused.
  void start_ports(std::vector<std::shared_ptr<FakePort>> connections) {
    std::vector<ForwardedPort> ports;
    for (const auto& connection : connections) {
      const auto number = static_cast<std::uint16_t>(8080 + ports.size());
      if (connection) {
        ports.push_back({number, FakePort::open(connection)});
      } else {
        ports.push_back({number, fail(ErrorCode::Unavailable, "connection refused")});
      }
    }
    start(run_port_session(context(), socket, std::move(ports), {.framing = Framing::ChannelsV4}));
  }
  std::shared_ptr<FakePort> make_port() { return std::make_shared<FakePort>(loop.executor()); }

  std::shared_ptr<FakePort> first = make_port();
  std::shared_ptr<FakePort> second = make_port();
};

TEST_F(ChannelPortSessionTest, AnnouncesEachPortOnBothOfItsChannels) {
  start_ports({first, second});
  EXPECT_THAT(client.messages,
              ElementsAre("\x00\x90\x1f"s, "\x01\x90\x1f"s, "\x02\x91\x1f"s, "\x03\x91\x1f"s));
}

TEST_F(ChannelPortSessionTest, CarriesEachPortOnItsDataChannel) {
  first->echo = second->echo = true;
  start_ports({first, second});
  client.send("\0one"s);
  client.send("\x02two"s);
  settle();
  EXPECT_EQ(first->received, "one");
  EXPECT_EQ(second->received, "two");
  EXPECT_THAT(client.messages, Contains("\0one"s));
  EXPECT_THAT(client.messages, Contains("\x02two"s));
}

TEST_F(ChannelPortSessionTest, ARefusedPortLeavesTheOthersAlone) {
  second->echo = true;
  start_ports({nullptr, second});
  EXPECT_THAT(client.messages, Contains("\x01port 8080: connection refused"s));
  client.send(
      "\x02"
      "alive"s);
  settle();
  EXPECT_THAT(client.messages, Contains("\x02"
                                        "alive"s));
  EXPECT_TRUE(is_running());
}

TEST_F(ChannelPortSessionTest, APortThatEndsSaysSoAndLeavesTheOthersAlone) {
  start_ports({first, second});
  first->send("bye");
  first->end();
  settle();
  EXPECT_THAT(client.messages.end()[-2], "\0bye"s);
  EXPECT_THAT(client.messages.end()[-1], "\x01port 8080: connection closed"s);
  EXPECT_TRUE(first->dropped);
  client.send("\0ignored"s);
  second->send("still here");
  settle();
  EXPECT_EQ(client.messages.back(), "\x02still here"s);
}

TEST_F(ChannelPortSessionTest, EndsWhenAllPortsHaveEnded) {
  start_ports({first, second});
  first->reset({.code = ErrorCode::Unavailable, .message = "connection reset"});
  settle();
  EXPECT_TRUE(is_running());
  second->end();
  EXPECT_EQ(finish().kind, SessionEndKind::Completed);
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::Normal, "connection closed"}));
  EXPECT_EQ(client.messages.back(), "\x01port 8080: connection reset"s);
}

TEST_F(ChannelPortSessionTest, AllPortsRefusedIsTextAndThen1000) {
  start_ports({nullptr});
  EXPECT_EQ(finish().kind, SessionEndKind::Completed);
  EXPECT_EQ(client.messages.back(), "\x01port 8080: connection refused"s);
}

TEST_F(ChannelPortSessionTest, EachOfSeveralRefusedPortsSaysSo) {
  start_ports({nullptr, nullptr, nullptr});
  EXPECT_EQ(finish().kind, SessionEndKind::Completed);
  EXPECT_THAT(client.messages, Contains("\x01port 8080: connection refused"s));
  EXPECT_THAT(client.messages, Contains("\x03port 8081: connection refused"s));
  EXPECT_THAT(client.messages, Contains("\x05port 8082: connection refused"s));
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::Normal, "connection closed"}));
}

TEST_F(ChannelPortSessionTest, PortsThatAreResetAtOnceAllSaySo) {
  start_ports({first, second});
  first->reset({.code = ErrorCode::Unavailable, .message = "connection reset"});
  second->reset({.code = ErrorCode::Unavailable, .message = "connection reset"});
  finish();
  EXPECT_THAT(client.messages, Contains("\x01port 8080: connection reset"s));
  EXPECT_THAT(client.messages, Contains("\x03port 8081: connection reset"s));
}

TEST_F(ChannelPortSessionTest, ADeletedPodEndsItWith1001) {
  start_ports({first, second});
  first->end(StreamEnd::TargetDeleted);
  second->end(StreamEnd::TargetDeleted);
  finish();
  EXPECT_THAT(client.messages, Contains("\x01port 8080: pod deleted"s));
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::GoingAway, "pod deleted"}));
}

TEST_F(ChannelPortSessionTest, APortThatTakesNothingDoesNotHoldUpTheOthers) {
  first->set_input_room(0);
  start_ports({first, second});
  client.send("\0"s + std::string(200'000, 'a'));
  client.send("\x02quick"s);
  settle();
  EXPECT_EQ(second->received, "quick");
}

TEST_F(ChannelPortSessionTest, AFullQueueStopsTheClientUntilItsPortGoesOn) {
  first->set_input_room(0);
  start_ports({first, second});
  client.start_sending("\0"s + std::string(1'000'000, 'a'));
  EXPECT_GE(pipe.under_way_to_server(), 64_KiB);
  clock.advance(1h);  // idle time does not run
  EXPECT_TRUE(is_running());
  first->set_input_room(testing::kUnlimited);
  settle();
  EXPECT_EQ(first->received.size(), 1'000'000u);
}

TEST_F(ChannelPortSessionTest, AStuckPortThatDiesFreesTheClient) {
  first->set_input_room(0);
  start_ports({first, second});
  client.start_sending("\0"s + std::string(1'000'000, 'a'));
  first->reset({.code = ErrorCode::Unavailable, .message = "connection reset"});
  settle();
  client.send("\x02quick"s);
  settle();
  EXPECT_EQ(second->received, "quick");
}

TEST_F(ChannelPortSessionTest, WhatTheClientSentBeforeItsCloseReachesThePods) {
  first->set_input_room(0);
  start_ports({first, second});
  client.send("\0late"s);
  client.close();
  settle();
  EXPECT_TRUE(is_running());
  first->set_input_room(100);
  EXPECT_EQ(finish().kind, SessionEndKind::ClientClosed);
  EXPECT_EQ(first->received, "late");
}

TEST_F(ChannelPortSessionTest, APodThatNeverTakesTheRestHoldsTheCloseTenSeconds) {
  first->set_input_room(0);
  start_ports({first, second});
  client.send("\0never"s);
  client.close();
  clock.advance(9s);
  EXPECT_TRUE(is_running());
  clock.advance(2s);
  EXPECT_EQ(finish().kind, SessionEndKind::ClientClosed);
}

TEST_F(ChannelPortSessionTest, UnknownAndErrorChannelsAreIgnored) {
  start_ports({first, second});
  client.send("\x01what"s);
  client.send("\x63what"s);
  client.send("");
  settle();
  EXPECT_TRUE(is_running());
}

TEST_F(ChannelPortSessionTest, ASlowClientStopsAllPortsAndMemoryStaysBounded) {
  first->endless = second->endless = true;
  client.stop_reading();
  start_ports({first, second});
  EXPECT_LE(first->bytes_read + second->bytes_read, 64_KiB + 4 * 256_KiB);
}

TEST_F(ChannelPortSessionTest, PortsTakeTurnsOnABusySocket) {
  first->endless = true;
  client.stop_reading();
  start_ports({first, second});
  second->send("me too");
  client.start_reading();
  for (int i = 0; i < 10'000 && client.messages.size() < 100; ++i) loop.context().poll_one();
  EXPECT_THAT(client.messages, Contains("\x02me too"s));
  first->end();
}

}  // namespace
}  // namespace sluice::session
