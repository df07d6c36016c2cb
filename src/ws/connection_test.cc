#include "ws/connection.h"

#include <gtest/gtest.h>

#include "net/yield.h"
#include "testing/memory_pipe.h"
#include "testing/seeded_random.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::ws {
namespace {

using namespace std::chrono_literals;
using testing::MemoryPipe;
using testing::run;

/// A server's and a client's Connection, joined by a pipe.
struct Pair {
  explicit Pair(MemoryPipe::Options options = {},
                std::optional<DeflateParameters> compression = std::nullopt,
                std::uint64_t max_message_bytes = kAnySize)
      : clock(loop),
        pipe(loop, options),
        server(loop.executor(), std::move(pipe.server),
               {Role::Server, compression, max_message_bytes}, clock, random, ""),
        client(loop.executor(), std::move(pipe.client), {Role::Client, compression}, clock, random,
               "") {}

  net::EventLoop loop;
  testing::VirtualClock clock;
  testing::SeededRandom random;
  MemoryPipe pipe;
  Connection server;
  Connection client;
};

/// The pieces of one message joined; or what came instead.
struct Message {
  std::string text;
  std::optional<Close> close;
  std::optional<Error> error;
};

net::Task<Message> receive_message(Connection& connection) {
  Message message;
  while (true) {
    Result<Received> received = co_await connection.receive();
    if (!received) {
      message.error = received.error();
      break;
    }
    if (auto* close = std::get_if<Close>(&*received)) {
      message.close = std::move(*close);
      break;
    }
    const MessagePiece piece = std::get<MessagePiece>(*received);
    EXPECT_EQ(piece.starts_message, message.text.empty());
    message.text += as_text(piece.payload);
    if (piece.ends_message) break;
  }
  co_return message;
}

net::Task<> send_message(Connection& connection, std::string text) {
  const Result<> sent = co_await connection.send(Opcode::Binary, as_bytes(text));
  EXPECT_TRUE(sent);
}

std::string long_text(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 % 251);
  return text;
}

TEST(Connection, CarriesMessagesOfAllSizesBothWays) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{125}, std::size_t{126},
                                 65535_KiB / 1024, 64_KiB, 3_MiB + 5}) {
    Pair pair({.capacity = 100'000, .fragment = 30'000});
    const std::string text = long_text(size);
    net::TaskGroup senders(pair.loop.executor());
    senders.spawn("server", send_message(pair.server, text));
    EXPECT_EQ(run(pair.loop, receive_message(pair.client)).text, text);
    senders.spawn("client", send_message(pair.client, text));
    EXPECT_EQ(run(pair.loop, receive_message(pair.server)).text, text);
    testing::run_until_empty(pair.loop, senders);
  }
}

TEST(Connection, AMessageThatUnfoldsOverTheLimitIs1009) {
  Pair pair({}, DeflateParameters{}, 100'000);
  net::TaskGroup senders(pair.loop.executor());
  senders.spawn("small", send_message(pair.client, std::string(100'000, 'x')));
  EXPECT_EQ(run(pair.loop, receive_message(pair.server)).text.size(), 100'000u);
  senders.spawn("large", send_message(pair.client, std::string(100'001, 'x')));
  EXPECT_EQ(run(pair.loop, receive_message(pair.server)).error->code, ErrorCode::InvalidArgument);
  EXPECT_EQ(pair.server.violation().code, CloseCode::MessageTooBig);
  testing::run_until_empty(pair.loop, senders);
}

TEST(Connection, AppendedMessagesLeaveWithOneFlush) {
  Pair pair;
  for (const char* text : {"one", "two", "three"})
    pair.server.append(Opcode::Binary, as_bytes(text));
  EXPECT_EQ(pair.server.bytes_sent(), 0u);
  EXPECT_TRUE(run(pair.loop, pair.server.flush()));
  EXPECT_EQ(pair.pipe.under_way_to_client(), 3u * 2 + 11);
  EXPECT_EQ(run(pair.loop, receive_message(pair.client)).text, "one");
  EXPECT_EQ(run(pair.loop, receive_message(pair.client)).text, "two");
  EXPECT_EQ(run(pair.loop, receive_message(pair.client)).text, "three");
}

TEST(Connection, WhatHasComeIsReceivedWithoutAWait) {
  Pair pair;
  EXPECT_FALSE(pair.client.try_receive());
  pair.server.append(Opcode::Binary, as_bytes("one"));
  pair.server.append(Opcode::Binary, as_bytes("two"));
  EXPECT_TRUE(run(pair.loop, pair.server.flush()));
  for (const char* text : {"one", "two"}) {
    const std::optional<Result<Received>> received = pair.client.try_receive();
    ASSERT_TRUE(received && *received);
    EXPECT_EQ(as_text(std::get<MessagePiece>(**received).payload), text);
  }
  EXPECT_FALSE(pair.client.try_receive());
}

TEST(Connection, APingIsAnsweredWhileReceiving) {
  Pair pair;
  net::TaskGroup tasks(pair.loop.executor());
  std::optional<Message> at_server;
  std::optional<Message> at_client;
  tasks.spawn("server", testing::store_result(receive_message(pair.server), at_server));
  tasks.spawn("client", testing::store_result(receive_message(pair.client), at_client));
  testing::run_until_idle(pair.loop);
  pair.clock.advance(5s);
  pair.server.ping();
  testing::run_until_idle(pair.loop);
  EXPECT_EQ(pair.server.last_received(), pair.clock.now());
  EXPECT_FALSE(at_server || at_client);
  tasks.cancel();
  testing::run_until_empty(pair.loop, tasks);
  EXPECT_EQ(at_server->error->code, ErrorCode::Cancelled);
}

TEST(Connection, PingsThatCannotBeAnsweredYetTakeNoMemoryAndTheLatestIsAnswered) {
  net::EventLoop loop;
  testing::VirtualClock clock(loop);
  testing::SeededRandom random;
  MemoryPipe pipe(loop, {.capacity = 1000});
  Connection server(loop.executor(), std::move(pipe.server), {}, clock, random, "");
  net::TaskGroup tasks(loop.executor());
  tasks.spawn("send", send_message(server, std::string(5000, 'x')));
  std::optional<Message> received;
  tasks.spawn("receive", testing::store_result(receive_message(server), received));
  testing::run_until_idle(loop);
  for (char name = 'a'; name <= 'z'; ++name) {
    const std::string ping = {'\x89', '\x81', 0, 0, 0, 0, name};
    EXPECT_EQ(pipe.client->try_write(as_bytes(ping)).value(), ping.size());
    testing::run_until_idle(loop);
  }
  std::string all;
  std::array<std::byte, 512> buffer;
  while (const auto count = pipe.client->try_read(buffer).value()) {
    all += as_text(std::span(buffer).first(*count));
    testing::run_until_idle(loop);
  }
  EXPECT_EQ(all.size(), 4u + 5000 + 3);
  EXPECT_EQ(all.substr(5004), "\x8A\x01z");
  tasks.cancel();
  testing::run_until_empty(loop, tasks);
}

net::Task<> close_with(Connection& connection, Close close) {
  co_await connection.close(std::move(close), 10s);
}

net::Task<std::optional<Close>> receive_and_echo_close(Connection& connection) {
  const Message message = co_await receive_message(connection);
  if (!message.close) co_return std::nullopt;
  co_await connection.close(*message.close, 10s);
  co_return message.close;
}

TEST(Connection, CloseWaitsForThePeersClose) {
  Pair pair;
  const Close close{CloseCode::GoingAway, "pod deleted"};
  net::TaskGroup tasks(pair.loop.executor());
  tasks.spawn("close", close_with(pair.server, close));
  EXPECT_EQ(run(pair.loop, receive_and_echo_close(pair.client)), close);
  testing::run_until_empty(pair.loop, tasks);
}

TEST(Connection, ClosesThatCrossEndBothSidesAtOnce) {
  Pair pair;
  net::TaskGroup tasks(pair.loop.executor());
  tasks.spawn("server", close_with(pair.server, {CloseCode::Normal, "a"}));
  tasks.spawn("client", close_with(pair.client, {CloseCode::GoingAway, "b"}));
  testing::run_until_idle(pair.loop);
  EXPECT_EQ(tasks.size(), 0u);
}

TEST(Connection, CloseGivesUpAfterItsPatience) {
  Pair pair;
  net::TaskGroup tasks(pair.loop.executor());
  tasks.spawn("close", close_with(pair.server, {CloseCode::Normal, ""}));
  pair.clock.advance(9s);
  EXPECT_EQ(tasks.size(), 1u);
  pair.clock.advance(1s);
  EXPECT_EQ(tasks.size(), 0u);
}

TEST(Connection, CloseOfAPeerThatNeverReadsEndsWithAReset) {
  Pair pair({.capacity = 10});
  pair.server.append(Opcode::Binary, as_bytes(std::string(1000, 'x')));
  net::TaskGroup tasks(pair.loop.executor());
  tasks.spawn("close", close_with(pair.server, {CloseCode::Normal, ""}));
  pair.clock.advance(10s);
  EXPECT_EQ(tasks.size(), 0u);
  const Message seen = run(pair.loop, receive_message(pair.client));
  ASSERT_TRUE(seen.close);
  EXPECT_EQ(seen.close->code, CloseCode::Abnormal);
}

TEST(Connection, ACancelledSendLeavesWholeFramesSoThatCloseCanStillSayWhy) {
  for (const std::size_t size : {5'000u, 50'000u}) {  // copied, and written from where it lies
    Pair pair({.capacity = 1000});
    net::TaskGroup tasks(pair.loop.executor());
    std::optional<Result<>> sent;
    const std::string text = long_text(size);
    tasks.spawn("send",
                testing::store_result(pair.server.send(Opcode::Binary, as_bytes(text)), sent));
    testing::run_until_idle(pair.loop);
    tasks.cancel();
    testing::run_until_empty(pair.loop, tasks);
    EXPECT_EQ(sent->error().code, ErrorCode::Cancelled);
    EXPECT_FALSE(pair.server.is_lost());

    const Close close{CloseCode::PolicyViolation, "token expired"};
    tasks.spawn("close", close_with(pair.server, close));
    EXPECT_EQ(run(pair.loop, receive_message(pair.client)).text, text);
    EXPECT_EQ(run(pair.loop, receive_and_echo_close(pair.client)), close);
    testing::run_until_empty(pair.loop, tasks);
  }
}

TEST(Connection, APingThatCannotBeWrittenShowsThatThePeerIsLost) {
  Pair pair;
  pair.server.ping();
  EXPECT_FALSE(pair.server.is_lost());
  pair.pipe.reset();
  pair.server.ping();
  EXPECT_TRUE(pair.server.is_lost());
  run(pair.loop, pair.server.close({CloseCode::Normal, ""}, 10s));
}

TEST(Connection, APeerThatVanishesIsAnAbnormalClose) {
  Pair pair;
  pair.client.abort();
  const Message seen = run(pair.loop, receive_message(pair.server));
  ASSERT_TRUE(seen.close);
  EXPECT_EQ(seen.close->code, CloseCode::Abnormal);
  const Result<> sent = run(pair.loop, pair.server.send(Opcode::Binary, as_bytes("x")));
  EXPECT_EQ(sent.error().code, ErrorCode::Unavailable);
}

TEST(Connection, ABrokenRuleIsAnErrorAndItsCloseReachesThePeer) {
  net::EventLoop loop;
  testing::VirtualClock clock(loop);
  testing::SeededRandom random;
  MemoryPipe pipe(loop);
  Connection server(loop.executor(), std::move(pipe.server), {}, clock, random, "\x82\x01x");
  const Message seen = run(loop, receive_message(server));
  ASSERT_TRUE(seen.error);
  EXPECT_EQ(seen.error->code, ErrorCode::InvalidArgument);
  EXPECT_EQ(server.violation().code, CloseCode::ProtocolError);
  net::TaskGroup tasks(loop.executor());
  tasks.spawn("close", close_with(server, server.violation()));
  testing::run_until_idle(loop);
  std::array<std::byte, 100> buffer;
  const std::size_t count = run(loop, pipe.client->read(buffer)).value();
  EXPECT_EQ(as_text(std::span(buffer).first(count)),
            "\x88\x1B\x03\xEA"
            "client frame without mask");
  EXPECT_EQ(run(loop, pipe.client->read(buffer)).value(), 0u);
  pipe.client->close();
  testing::run_until_idle(loop);
  EXPECT_EQ(tasks.size(), 0u);
}

TEST(Connection, NothingFollowsACompressedMessageThatIsBroken) {
  net::EventLoop loop;
  testing::VirtualClock clock(loop);
  testing::SeededRandom random;
  MemoryPipe pipe(loop);
  const std::string not_deflate("\xC2\x82\0\0\0\0\xFF\xFF", 8);
  const std::string sound("\x82\x82\0\0\0\0hi", 8);
  Connection server(loop.executor(), std::move(pipe.server),
                    {.role = Role::Server, .compression = DeflateParameters{}}, clock, random,
                    not_deflate + sound);
  EXPECT_EQ(run(loop, receive_message(server)).error->code, ErrorCode::InvalidArgument);
  EXPECT_EQ(server.violation().code, CloseCode::InvalidPayload);
  EXPECT_FALSE(server.try_receive());
}

TEST(Connection, BytesReadBehindTheHandshakeComeFirst) {
  net::EventLoop loop;
  testing::VirtualClock clock(loop);
  testing::SeededRandom random;
  MemoryPipe pipe(loop);
  const std::string leftover("\x82\x82\0\0\0\0hi", 8);
  Connection server(loop.executor(), std::move(pipe.server), {}, clock, random, leftover);
  EXPECT_EQ(run(loop, receive_message(server)).text, "hi");
}

TEST(Connection, APieceSaysWhetherItsMessageIsText) {
  for (const auto& compression : {std::optional<DeflateParameters>(), {DeflateParameters{}}}) {
    Pair pair({}, compression);
    for (const Opcode opcode : {Opcode::Text, Opcode::Binary, Opcode::Text}) {
      pair.client.append(opcode, as_bytes("a"), false);
      pair.client.append(Opcode::Continuation, as_bytes("b"));
      EXPECT_TRUE(run(pair.loop, pair.client.flush()));
      for (bool ends = false; !ends;) {
        const Result<Received> received = run(pair.loop, pair.server.receive());
        ASSERT_TRUE(received);
        const auto& piece = std::get<MessagePiece>(*received);
        EXPECT_EQ(piece.opcode, opcode);
        ends = piece.ends_message;
      }
    }
  }
}

net::Task<> send_often(Connection& connection, std::string& order, std::string text) {
  for (int i = 0; i < 3; ++i) {
    const Result<> sent = co_await connection.send(Opcode::Binary, as_bytes(text));
    EXPECT_TRUE(sent);
    order += 's';
  }
}

net::Task<> yield_often(std::string& order) {
  for (int i = 0; i < 3; ++i) {
    order += 'o';
    const Result<> yielded = co_await net::yield();
    EXPECT_TRUE(yielded);
  }
}

TEST(Connection, WritesThatNeedNotWaitTakeTurnsWithTheRestOfTheLoop) {
  for (const std::size_t size : {1_KiB, 64_KiB}) {
    Pair pair({.capacity = 1_MiB});
    std::string order;
    net::TaskGroup tasks(pair.loop.executor());
    tasks.spawn("sender", send_often(pair.server, order, long_text(size)));
    tasks.spawn("others", yield_often(order));
    testing::run_until_empty(pair.loop, tasks);
    EXPECT_EQ(order, "ososos");
  }
}

TEST(Connection, CompressedMessagesReadBack) {
  for (const ContextTakeover takeover : {ContextTakeover::Keep, ContextTakeover::Drop}) {
    Pair pair({.fragment = 1000}, DeflateParameters{.server = {.takeover = takeover},
                                                    .client = {.takeover = takeover}});
    for (const std::size_t size : {0_KiB, 1_KiB, 300_KiB, 0_KiB, 2_KiB}) {
      const std::string text = long_text(size);
      net::TaskGroup senders(pair.loop.executor());
      senders.spawn("server", send_message(pair.server, text));
      EXPECT_EQ(run(pair.loop, receive_message(pair.client)).text, text);
      senders.spawn("client", send_message(pair.client, text));
      EXPECT_EQ(run(pair.loop, receive_message(pair.server)).text, text);
      testing::run_until_empty(pair.loop, senders);
    }
    EXPECT_LT(pair.server.bytes_sent(), 30'000u);
  }
}

}  // namespace
}  // namespace sluice::ws
