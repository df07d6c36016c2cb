#include <gmock/gmock.h>

#include "session/session_test_support.h"

namespace sluice::session {
namespace {

using namespace std::chrono_literals;
using backend::StreamEnd;
using testing::FakePort;

class PortSessionTest : public SessionTest {
 protected:
  void start_port() {
    std::vector<ForwardedPort> ports;
    ports.push_back({8080, FakePort::open(port)});
    start(run_port_session(context(), socket, std::move(ports), options));
  }

  PortSessionOptions options;
  std::shared_ptr<FakePort> port = std::make_shared<FakePort>(loop.executor());
};

TEST_F(PortSessionTest, CarriesBytesBothWays) {
  port->echo = true;
  start_port();
  client.send("ping");
  settle();
  EXPECT_EQ(client.all, "ping");
  port->send("more");
  settle();
  EXPECT_EQ(client.all, "pingmore");
}

TEST_F(PortSessionTest, ARefusedPortEndsItWith1011) {
  std::vector<ForwardedPort> ports;
  ports.push_back({8090, fail(ErrorCode::Unavailable, "connection refused")});
  start(run_port_session(context(), socket, std::move(ports), options));
  EXPECT_EQ(finish().kind, SessionEndKind::UpstreamFailed);
  EXPECT_EQ(client.closed,
            (ws::Close{ws::CloseCode::InternalError, "port 8090: connection refused"}));
}

TEST_F(PortSessionTest, ADeletedPodEndsItAlsoWhenItSentNoMore) {
  options.empty_message = EmptyMessage::EndsInput;
  start_port();
  port->end();
  settle();
  EXPECT_TRUE(is_running());
  port->end(StreamEnd::TargetDeleted);
  finish();
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::GoingAway, "pod deleted"}));
}

TEST_F(PortSessionTest, AResetByAHalfClosedPodEndsItWith1011) {
  options.empty_message = EmptyMessage::EndsInput;
  start_port();
  port->end();
  settle();
  port->reset({.code = ErrorCode::Unavailable, .message = "connection reset"});
  EXPECT_EQ(finish().kind, SessionEndKind::UpstreamFailed);
}

TEST_F(PortSessionTest, WhatThePodSentIsDeliveredBeforeTheClose) {
  start_port();
  port->send(std::string(1'000'000, 'p'));
  port->end();
  EXPECT_EQ(finish().kind, SessionEndKind::Completed);
  EXPECT_EQ(client.all.size(), 1'000'000u);
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::Normal, "connection closed"}));
}

TEST_F(PortSessionTest, ADeletedPodEndsItWith1001) {
  start_port();
  port->end(StreamEnd::TargetDeleted);
  finish();
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::GoingAway, "pod deleted"}));
}

TEST_F(PortSessionTest, AResetEndsItWith1011) {
  start_port();
  port->reset({.code = ErrorCode::Unavailable, .message = "connection reset"});
  finish();
  EXPECT_EQ(client.closed,
            (ws::Close{ws::CloseCode::InternalError, "port 8080: connection reset"}));
}

TEST_F(PortSessionTest, WhatTheClientSentBeforeItsCloseReachesThePod) {
  start_port();
  client.send(std::string(100'000, 'c'));
  client.close();
  EXPECT_EQ(finish().kind, SessionEndKind::ClientClosed);
  EXPECT_EQ(port->received.size(), 100'000u);
  EXPECT_TRUE(port->dropped);
}

TEST_F(PortSessionTest, ThePodMayBeSlowToTakeWhatCameBeforeTheClose) {
  port->set_input_room(0);
  start_port();
  client.send("late");
  client.close();
  settle();
  EXPECT_TRUE(is_running());
  port->set_input_room(100);
  EXPECT_EQ(finish().kind, SessionEndKind::ClientClosed);
  EXPECT_EQ(port->received, "late");
}

TEST_F(PortSessionTest, AnEmptyMessageIsNothingUnlessAskedFor) {
  start_port();
  client.send("");
  settle();
  EXPECT_FALSE(port->half_closed);
  EXPECT_TRUE(is_running());
}

TEST_F(PortSessionTest, TheClientsEndLeavesTheOtherDirectionOpen) {
  options.empty_message = EmptyMessage::EndsInput;
  start_port();
  client.send("request");
  client.send("");
  settle();
  EXPECT_TRUE(port->half_closed);
  EXPECT_TRUE(is_running());
  port->send("answer");
  port->end();
  EXPECT_EQ(finish().kind, SessionEndKind::Completed);
  EXPECT_EQ(client.messages, (std::vector<std::string>{"answer", ""}));
}

TEST_F(PortSessionTest, ThePodsEndIsAnEmptyMessageAndTheClientMayGoOn) {
  options.empty_message = EmptyMessage::EndsInput;
  start_port();
  port->end();
  settle();
  EXPECT_EQ(client.messages, (std::vector<std::string>{""}));
  EXPECT_TRUE(is_running());
  client.send("still");
  settle();
  EXPECT_EQ(port->received, "still");
  client.send("");
  EXPECT_EQ(finish().kind, SessionEndKind::Completed);
  EXPECT_EQ(client.closed, (ws::Close{ws::CloseCode::Normal, "connection closed"}));
}

TEST_F(PortSessionTest, BytesThatAPodRejectsAfterItsEndFailTheSession) {
  options.empty_message = EmptyMessage::EndsInput;
  start_port();
  port->end();
  settle();
  port->reset({.code = ErrorCode::Unavailable, .message = "connection reset"});
  client.send("too late");
  EXPECT_EQ(finish().kind, SessionEndKind::UpstreamFailed);
}

TEST_F(PortSessionTest, ASlowClientStopsThePodAndMemoryStaysBounded) {
  port->endless = true;
  client.stop_reading();
  start_port();
  EXPECT_LE(port->bytes_read, 64_KiB + 2 * 256_KiB);
  EXPECT_LE(port->largest_read, 256_KiB);
}

TEST_F(PortSessionTest, BulkIsReadInLargePieces) {
  start_port();
  for (int i = 0; i < 8; ++i) {
    port->send(std::string(1'000'000, 'b'));
    settle();
  }
  EXPECT_EQ(client.all.size(), 8'000'000u);
  EXPECT_EQ(port->largest_read, 256_KiB);
}

TEST_F(PortSessionTest, ASlowPodStopsTheClientAndIdleTimeDoesNotRun) {
  port->set_input_room(0);
  start_port();
  client.start_sending(std::string(1'000'000, 'c'));
  EXPECT_GE(pipe.under_way_to_server(), 64_KiB);
  clock.advance(1h);
  EXPECT_TRUE(is_running());
  port->set_input_room(testing::kUnlimited);
  settle();
  EXPECT_EQ(port->received.size(), 1'000'000u);
  clock.advance(1h);  // and runs again, on pongs
  EXPECT_TRUE(is_running());
}

}  // namespace
}  // namespace sluice::session
