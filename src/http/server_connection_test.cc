#include "http/server_connection.h"

#include <gmock/gmock.h>

#include "testing/memory_pipe.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ServerConnectionTest : public ::testing::Test {
 protected:
  ServerConnectionTest() : connection_(std::move(pipe_.server), clock_, {}) {}

  void send(std::string_view text) {
    ASSERT_TRUE(testing::run(loop_, pipe_.client->write(as_bytes(text))));
  }
  Result<std::optional<RequestHead>> read_head() {
    return testing::run(loop_, connection_.read_head());
  }
  /// What comes of it after just so much silence.
  Result<std::optional<RequestHead>> read_head_after(nanoseconds silence) {
    net::TaskGroup group(loop_.executor());
    std::optional<Result<std::optional<RequestHead>>> head;
    group.spawn("read", testing::store_result(connection_.read_head(), head));
    clock_.advance(silence - milliseconds(1));
    EXPECT_FALSE(head);
    clock_.advance(milliseconds(1));
    testing::run_until_empty(loop_, group);
    return std::move(head).value();
  }
  std::string received() {
    std::string text(64 * 1024, '\0');
    const auto count = pipe_.client->try_read(std::as_writable_bytes(std::span(text)));
    text.resize(count && *count ? **count : 0);
    return text;
  }

  net::EventLoop loop_;
  testing::VirtualClock clock_{loop_};
  testing::MemoryPipe pipe_{loop_};
  ServerConnection connection_;
};

TEST_F(ServerConnectionTest, PipelinedRequestsComeOneByOne) {
  send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ((*read_head())->path, "/1");
  EXPECT_EQ((*read_head())->path, "/2");
}

TEST_F(ServerConnectionTest, EndBetweenRequestsIsNoError) {
  pipe_.client->close();
  EXPECT_EQ(*read_head(), std::nullopt);
}

TEST_F(ServerConnectionTest, EndWithinARequestIsUnavailable) {
  send("GET / HT");
  pipe_.client->close();
  EXPECT_EQ(read_head().error().code, ErrorCode::Unavailable);
}

TEST_F(ServerConnectionTest, SlowHeadIsCutAfterTenSeconds) {
  send("GET / HTTP/1.1\r\n");
  EXPECT_EQ(read_head_after(seconds(10)).error().code, ErrorCode::Unavailable);
}

TEST_F(ServerConnectionTest, NewConnectionThatSaysNothingEndsAfterTenSeconds) {
  EXPECT_EQ(*read_head_after(seconds(10)), std::nullopt);
}

TEST_F(ServerConnectionTest, IdleConnectionEndsAMinuteAfterItsLastRequest) {
  send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(read_head());
  EXPECT_EQ(*read_head_after(seconds(60)), std::nullopt);
}

TEST_F(ServerConnectionTest, SlowBodyIsCutAfterTenSeconds) {
  send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
  net::TaskGroup group(loop_.executor());
  std::optional<Result<std::optional<RequestHead>>> head;
  group.spawn("read", testing::store_result(connection_.read_head(), head));
  for (int second = 0; second < 9; ++second) {
    clock_.advance(seconds(1));
    send("x");
  }
  testing::run_until_idle(loop_);
  EXPECT_FALSE(head);
  clock_.advance(seconds(1));
  testing::run_until_empty(loop_, group);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->error().code, ErrorCode::Unavailable);
}

TEST_F(ServerConnectionTest, RefusedRequestIsReadOnUntilTheClientHasItsAnswer) {
  send("nonsense\r\n\r\n");
  ASSERT_FALSE(read_head());
  const Response response{{400, {}}, "{}"};
  net::TaskGroup group(loop_.executor());
  std::optional<Result<>> sent;
  group.spawn("respond", testing::store_result(connection_.respond(response, false), sent));
  testing::run_until_idle(loop_);
  send(std::string(60'000, 'x'));
  testing::run_until_idle(loop_);
  EXPECT_EQ(pipe_.under_way_to_server(), 0U);
  EXPECT_FALSE(sent);
  EXPECT_THAT(received(), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  pipe_.client->close();
  testing::run_until_empty(loop_, group);
  EXPECT_TRUE(sent && *sent);
}

TEST_F(ServerConnectionTest, RefusedClientThatStaysIsClosedAfterTwoSeconds) {
  send("nonsense\r\n\r\n");
  ASSERT_FALSE(read_head());
  const Response response{{400, {}}, "{}"};
  net::TaskGroup group(loop_.executor());
  std::optional<Result<>> sent;
  group.spawn("respond", testing::store_result(connection_.respond(response, false), sent));
  clock_.advance(milliseconds(1'999));
  EXPECT_FALSE(sent);
  clock_.advance(milliseconds(1));
  testing::run_until_empty(loop_, group);
  EXPECT_TRUE(sent && *sent);
}

TEST_F(ServerConnectionTest, Http10ClientIsToldThatTheConnectionStays) {
  send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto head = read_head();
  ASSERT_TRUE(head && *head && (*head)->keep_alive);
  ASSERT_TRUE(testing::run(loop_, connection_.respond({}, (*head)->keep_alive)));
  EXPECT_THAT(received(), HasSubstr("\r\nConnection: keep-alive\r\n"));
}

TEST_F(ServerConnectionTest, StreamToHttp10IsNotChunkedAndEndsTheConnection) {
  send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(read_head());
  const ResponseHead head{200, {}};
  ASSERT_TRUE(testing::run(loop_, connection_.start_chunks(head, true)));
  ASSERT_TRUE(testing::run(loop_, connection_.write_chunk(as_bytes("all of it"))));
  ASSERT_TRUE(testing::run(loop_, connection_.finish_chunks()));
  const std::string text = received();
  EXPECT_THAT(text, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(text, EndsWith("\r\n\r\nall of it"));
  std::byte byte;
  EXPECT_EQ(pipe_.client->try_read({&byte, 1}), 0U);
  EXPECT_EQ(*read_head(), std::nullopt);
}

TEST_F(ServerConnectionTest, ValueCannotEndItsLine) {
  Response response;
  response.head.fields.add("A", "b\r\nC: d");
  ASSERT_TRUE(testing::run(loop_, connection_.respond(response, true)));
  EXPECT_THAT(received(), HasSubstr("\r\nA: b  C: d\r\n"));
}

TEST_F(ServerConnectionTest, LargeChunkIsFramedToo) {
  const std::string large(40'000, 'x');
  ASSERT_TRUE(testing::run(loop_, connection_.write_chunk({})));
  const ResponseHead head{200, {}};
  ASSERT_TRUE(testing::run(loop_, connection_.start_chunks(head, true)));
  ASSERT_TRUE(testing::run(loop_, connection_.write_chunk(as_bytes(large))));
  EXPECT_THAT(received(), EndsWith("\r\n\r\n9c40\r\n" + large + "\r\n"));
}

TEST_F(ServerConnectionTest, ResponseToHeadHasTheLengthOfItsBodyAlone) {
  const Response response{{404, {}}, "{}"};
  send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(read_head());
  ASSERT_TRUE(testing::run(loop_, connection_.respond(response, true)));
  EXPECT_THAT(received(), EndsWith("\r\nContent-Length: 2\r\n\r\n"));
}

TEST_F(ServerConnectionTest, WhatIsNoRequestBehindAHeadIsAnsweredWithABody) {
  const Response response{{400, {}}, "{}"};
  send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\nno request\r\n\r\n");
  ASSERT_TRUE(read_head());
  ASSERT_FALSE(read_head());
  net::TaskGroup group(loop_.executor());
  std::optional<Result<>> sent;
  group.spawn("respond", testing::store_result(connection_.respond(response, false), sent));
  testing::run_until_idle(loop_);
  EXPECT_THAT(received(), EndsWith("\r\nContent-Length: 2\r\n\r\n{}"));
  pipe_.client->close();
  testing::run_until_empty(loop_, group);
}

TEST_F(ServerConnectionTest, ResponseHasLengthAndDate) {
  const Response response{{404, {}}, "{}"};
  ASSERT_TRUE(testing::run(loop_, connection_.respond(response, false)));
  const std::string text = received();
  EXPECT_THAT(text, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(text, EndsWith("\r\nContent-Length: 2\r\n\r\n{}"));
}

TEST_F(ServerConnectionTest, ChunksAreFramedAndFinished) {
  const ResponseHead head{200, {}};
  ASSERT_TRUE(testing::run(loop_, connection_.start_chunks(head, true)));
  ASSERT_TRUE(testing::run(loop_, connection_.write_chunk(as_bytes("0123456789"))));
  ASSERT_TRUE(testing::run(loop_, connection_.write_chunk({})));
  ASSERT_TRUE(testing::run(loop_, connection_.finish_chunks()));
  EXPECT_THAT(received(),
              EndsWith("Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n"));
}

TEST_F(ServerConnectionTest, UpgradeGivesAwayWhatCameBehindTheHead) {
  send("GET / HTTP/1.1\r\nHost: h\r\n\r\n\x81");
  ASSERT_TRUE(read_head());
  ResponseHead head{101, {}};
  head.fields.add("Upgrade", "websocket");
  auto upgraded = testing::run(loop_, connection_.upgrade(head));
  ASSERT_TRUE(upgraded);
  EXPECT_EQ(upgraded->leftover, "\x81");
  EXPECT_EQ(received(), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
}

TEST_F(ServerConnectionTest, ExpectationIsMetBeforeTheBody) {
  send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  net::TaskGroup group(loop_.executor());
  std::optional<Result<std::optional<RequestHead>>> head;
  group.spawn("read", testing::store_result(connection_.read_head(), head));
  testing::run_until_idle(loop_);
  EXPECT_EQ(received(), "HTTP/1.1 100 Continue\r\n\r\n");
  send("a");
  testing::run_until_idle(loop_);
  EXPECT_EQ(received(), "");  // not a second time
  send("b");
  testing::run_until_empty(loop_, group);
  EXPECT_TRUE(head && *head && **head);
}

class PeerEndedTest : public ServerConnectionTest {
 protected:
  PeerEndedTest() {
    send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(read_head());
    tasks_.spawn("observe", testing::store_result(connection_.peer_ended(), ended_));
    testing::run_until_idle(loop_);
    EXPECT_FALSE(ended_);
  }
  ~PeerEndedTest() override {
    tasks_.cancel();
    testing::run_until_empty(loop_, tasks_);
  }

  std::optional<Result<>> ended_;
  net::TaskGroup tasks_{loop_.executor()};
};

TEST_F(PeerEndedTest, EndOfThePeersDirectionIsNoticed) {
  pipe_.client->shutdown_write();
  testing::run_until_idle(loop_);
  EXPECT_TRUE(ended_ && *ended_);
}

TEST_F(PeerEndedTest, LostConnectionIsNoticed) {
  pipe_.client->abort();
  testing::run_until_idle(loop_);
  EXPECT_TRUE(ended_ && *ended_);
}

TEST_F(PeerEndedTest, WhatComesMeanwhileIsTheNextRequest) {
  send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  testing::run_until_idle(loop_);
  EXPECT_FALSE(ended_);
  tasks_.cancel();
  testing::run_until_empty(loop_, tasks_);
  EXPECT_EQ(ended_->error().code, ErrorCode::Cancelled);
  EXPECT_EQ((*read_head())->path, "/2");
}

TEST_F(PeerEndedTest, PeerThatSendsWithoutEndIsTakenForGone) {
  send(std::string(50'000, 'x'));
  testing::run_until_idle(loop_);
  EXPECT_FALSE(ended_);
  send(std::string(20'000, 'x'));
  testing::run_until_idle(loop_);
  EXPECT_TRUE(ended_ && *ended_);
}

}  // namespace
}  // namespace sluice::http
