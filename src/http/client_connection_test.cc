#include "http/client_connection.h"

#include <gmock/gmock.h>

#include "testing/memory_pipe.h"
#include "testing/test_loop.h"

namespace sluice::http {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// The parameter: how many bytes one read gives, at most.
class ClientConnectionTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  ClientConnectionTest()
      : pipe_(loop_, {.capacity = 1_MiB, .fragment = GetParam()}),
        connection_(std::move(pipe_.client)) {}

  void answer(std::string_view text) {
    ASSERT_TRUE(testing::run(loop_, pipe_.server->write(as_bytes(text))));
  }
  Result<ResponseHead> send(ClientRequest request = {.target = "/"}) {
    return testing::run(loop_, connection_.send(std::move(request)));
  }
  Result<std::string> read_all(std::size_t limit = 1_MiB) {
    return testing::run(loop_, connection_.read_whole_body(limit));
  }
  /// What try_read_body(into) gives now, into `room` bytes at a time; nullopt: its error.
  std::optional<std::string> read_straight(std::size_t room) {
    std::string text;
    std::vector<std::byte> into(room);
    while (true) {
      const auto count = connection_.try_read_body(into);
      if (!count) return std::nullopt;
      if (count->value_or(0) == 0) return text;
      text += as_text(Bytes(into).first(**count));
    }
  }
  std::string received() {
    std::string text;
    std::array<std::byte, 4096> block;
    while (true) {
      const auto count = pipe_.server->try_read(block);
      if (!count || count->value_or(0) == 0) return text;
      text += as_text(Bytes(block).first(**count));
    }
  }

  net::EventLoop loop_;
  testing::MemoryPipe pipe_;
  ClientConnection connection_;
};

INSTANTIATE_TEST_SUITE_P(Fragments, ClientConnectionTest, ::testing::Values(1, 3, 65536));

TEST_P(ClientConnectionTest, RequestIsWrittenWithItsLength) {
  answer("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  ClientRequest request{.method = "POST", .target = "/a?b=c", .body = "{}"};
  request.fields.add("Host", "h");
  const auto head = send(request);
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->status, 201U);
  EXPECT_EQ(received(), "POST /a?b=c HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}");
}

TEST_P(ClientConnectionTest, ValueCannotEndItsLine) {
  answer("HTTP/1.1 204 No Content\r\n\r\n");
  ClientRequest request{.target = "/"};
  request.fields.add("A", "b\r\nC: d");
  ASSERT_TRUE(send(request));
  EXPECT_THAT(received(), HasSubstr("\r\nA: b  C: d\r\n"));
}

TEST_P(ClientConnectionTest, BodiesOfAllThreeFramingsFollowEachOther) {
  answer(
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nfirst"
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsec\r\n3;a=b\r\nond\r\n0\r\nT: "
      "u\r\n\r\nHTTP/1.0 200 OK\r\n\r\nthird");
  const auto first = send();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->fields.find("x"), "y");
  EXPECT_EQ(*read_all(), "first");
  ASSERT_TRUE(send());
  EXPECT_EQ(*read_all(), "second");
  ASSERT_TRUE(send());
  pipe_.server->shutdown_write();
  EXPECT_EQ(*read_all(), "third");
  EXPECT_FALSE(connection_.is_reusable());
}

TEST_P(ClientConnectionTest, EmptyBodiesEndAtOnce) {
  answer(
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
      "HTTP/1.1 204 No Content\r\n\r\n"
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  for (int response = 0; response < 4; ++response) {
    ASSERT_TRUE(send());
    EXPECT_EQ(*read_all(), "");
  }
  EXPECT_TRUE(connection_.is_reusable());
}

TEST_P(ClientConnectionTest, InterimResponsesAreSkipped) {
  answer(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
  const auto head = send();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 404U);
  EXPECT_EQ(*read_all(), "no");
}

TEST_P(ClientConnectionTest, UpgradeGivesAwayTheStreamAndWhatCameBehind) {
  answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x00");
  const auto head = send();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 101U);
  Upgraded upgraded = connection_.upgrade();
  std::string rest = upgraded.leftover;
  std::array<std::byte, 16> block;
  while (rest.empty()) {
    const auto count = testing::run(loop_, upgraded.stream->read(block));
    rest += as_text(Bytes(block).first(*count));
  }
  EXPECT_EQ(rest, "\x81");
}

TEST_P(ClientConnectionTest, PiecesComeAsTheServerSendsThem) {
  answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  ASSERT_TRUE(send());
  net::TaskGroup group(loop_.executor());
  std::optional<Result<Bytes>> piece;
  group.spawn("read", testing::store_result(connection_.read_body(), piece));
  testing::run_until_idle(loop_);
  EXPECT_FALSE(piece);
  answer("1\r\nx\r\n");
  testing::run_until_empty(loop_, group);
  ASSERT_TRUE(piece && *piece);
  EXPECT_EQ(as_text(**piece), "x");
}

TEST_P(ClientConnectionTest, WhatHasComeIsReadWithoutWaiting) {
  answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n3\r\nth");
  ASSERT_TRUE(send());
  std::string body;
  while (body.size() < 8) {
    const auto piece = testing::run(loop_, connection_.read_body());
    ASSERT_TRUE(piece);
    body += as_text(*piece);
    for (auto more = connection_.try_read_body(); !more->empty();
         more = connection_.try_read_body()) {
      body += as_text(*more);
    }
  }
  EXPECT_EQ(body, "onetwoth");
  answer("r\r\n0\r\n\r\n");
  EXPECT_EQ(*read_all(), "r");
  EXPECT_TRUE(connection_.try_read_body()->empty());
}

TEST_P(ClientConnectionTest, BodyIsReadStraightInAllThreeFramings) {
  for (const std::size_t room : {1U, 4U, 100U}) {
    answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst");
    ASSERT_TRUE(send());
    EXPECT_EQ(read_straight(room), "first");
    answer(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsec\r\n3\r\nond\r\n0\r\n\r\n");
    ASSERT_TRUE(send());
    EXPECT_EQ(read_straight(room), "second");
    EXPECT_TRUE(connection_.is_reusable());
  }
  answer("HTTP/1.0 200 OK\r\n\r\nthird");
  ASSERT_TRUE(send());
  EXPECT_EQ(read_straight(100), "third");
  pipe_.server->shutdown_write();
  std::array<std::byte, 1> into;
  EXPECT_EQ(*connection_.try_read_body(into), 0U);
}

TEST_P(ClientConnectionTest, BodyThatPausesIsReadStraightOn) {
  for (const std::string_view framing : {"Content-Length: 6", "Transfer-Encoding: chunked"}) {
    const bool chunked = framing.starts_with("T");
    answer("HTTP/1.1 200 OK\r\n" + std::string(framing) + "\r\n\r\n");
    ASSERT_TRUE(send());
    answer(chunked ? "6\r\nsec" : "sec");
    EXPECT_EQ(read_straight(100), "sec");
    net::TaskGroup group(loop_.executor());
    std::optional<Result<>> ready;
    group.spawn("wait", testing::store_result(connection_.body_readable(), ready));
    testing::run_until_idle(loop_);
    EXPECT_FALSE(ready);
    answer(chunked ? "ond\r\n0\r\n\r\n" : "ond");
    testing::run_until_empty(loop_, group);
    EXPECT_TRUE(ready && *ready);
    EXPECT_EQ(read_straight(100), "ond");
  }
}

TEST_P(ClientConnectionTest, BodyCutShortIsNotReadStraightToItsEnd) {
  answer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsec");
  ASSERT_TRUE(send());
  EXPECT_EQ(read_straight(100), "sec");
  pipe_.server->shutdown_write();
  EXPECT_EQ(read_straight(100), std::nullopt);
}

TEST_P(ClientConnectionTest, LargeBodyComesWhole) {
  std::string body(200'000, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 26);
  answer("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + body);
  ASSERT_TRUE(send());
  EXPECT_TRUE(read_all() == body);
}

TEST_P(ClientConnectionTest, BodyOverTheLimitIsUnavailable) {
  answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd");
  ASSERT_TRUE(send());
  const auto body = read_all(3);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().message, "the response is larger than 3 bytes");
}

TEST_P(ClientConnectionTest, BodyCutShortIsUnavailable) {
  for (const std::string start :
       {"Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    testing::MemoryPipe pipe(loop_, {.fragment = GetParam()});
    ClientConnection connection(std::move(pipe.client));
    const std::string text = "HTTP/1.1 200 OK\r\n" + start;
    ASSERT_TRUE(testing::run(loop_, pipe.server->write(as_bytes(text))));
    ASSERT_TRUE(testing::run(loop_, connection.send({.target = "/"})));
    pipe.server->close();
    const auto body = testing::run(loop_, connection.read_whole_body(100));
    ASSERT_FALSE(body) << start;
    EXPECT_EQ(body.error().code, ErrorCode::Unavailable);
    EXPECT_EQ(body.error().message, "the response was cut short");
  }
}

TEST_P(ClientConnectionTest, MalformedHeadIsUnavailable) {
  answer("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  const auto head = send();
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().code, ErrorCode::Unavailable);
  EXPECT_TRUE(connection_.was_answered());
}

TEST_P(ClientConnectionTest, ElementOver64KiBIsUnavailable) {
  answer("HTTP/1.1 200 OK\r\nA: " + std::string(70'000, 'a') + "\r\n\r\n");
  EXPECT_EQ(send().error().code, ErrorCode::Unavailable);
}

TEST_P(ClientConnectionTest, EndWithoutAnAnswerIsTold) {
  pipe_.server->close();
  EXPECT_EQ(send().error().code, ErrorCode::Unavailable);
  EXPECT_FALSE(connection_.was_answered());
}

TEST_P(ClientConnectionTest, AnswerOfAServerThatReadsNoMoreCounts) {
  answer("HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\nbig");
  pipe_.server->shutdown_write();
  pipe_.server.reset();
  const auto head = send();
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->status, 431U);
}

TEST_P(ClientConnectionTest, ConnectionThatTheServerClosesIsNotReused) {
  answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(send());
  EXPECT_EQ(*read_all(), "");
  EXPECT_FALSE(connection_.is_reusable());
}

TEST_P(ClientConnectionTest, ConnectionThatWasClosedWhileIdleIsNotReused) {
  answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(send());
  EXPECT_EQ(*read_all(), "");
  EXPECT_TRUE(connection_.is_reusable());
  pipe_.server->close();
  EXPECT_FALSE(connection_.is_reusable());
}

TEST_P(ClientConnectionTest, UnreadBodyIsNotReusable) {
  answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
  ASSERT_TRUE(send());
  EXPECT_FALSE(connection_.is_reusable());
}

}  // namespace
}  // namespace sluice::http
