#include "http/client.h"

#include <gtest/gtest.h>

#include "net/listener.h"
#include "testing/test_loop.h"

namespace sluice::http {
namespace {

class ClientTest : public ::testing::Test {
 protected:
  ClientTest()
      : listener_(*net::Listener::open(loop_.executor(), {"127.0.0.1", 0},
                                       net::Listener::Sharing::First)) {}

  std::string url() const { return "http://" + listener_.address().to_string() + "/keys?x=1"; }

  /// Answers one connection with `answer` in pieces of one byte, and closes it.
  net::Task<> serve(std::string answer, std::string& request) {
    auto stream = co_await listener_.accept(timers_);
    std::array<std::byte, 4096> block;
    const auto count = co_await (*stream)->read(block);
    request = as_text(Bytes(block).first(*count));
    for (const char& byte : answer) {
      const Result<> written = co_await (*stream)->write(as_bytes({&byte, 1}));
      if (!written) co_return;
    }
  }
  Result<Response> get(std::string answer, ClientOptions options = {}) {
    net::TaskGroup group(loop_.executor());
    group.spawn("serve", serve(std::move(answer), request_));
    Result<Response> response = testing::run(loop_, http::get(url(), std::move(options), timers_));
    group.cancel();
    testing::run_until_empty(loop_, group);
    return response;
  }

  net::EventLoop loop_;
  net::SystemTimers timers_;
  net::Listener listener_;
  std::string request_;
};

TEST_F(ClientTest, SendsTheTargetAndTheHost) {
  const auto response = get("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->head.status, 200U);
  EXPECT_EQ(response->body, "{}");
  EXPECT_TRUE(request_.starts_with("GET /keys?x=1 HTTP/1.1\r\nHost: 127.0.0.1:")) << request_;
}

TEST_F(ClientTest, ReadsChunksAndBodiesWithoutALength) {
  EXPECT_EQ(
      get("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
          ->body,
      "abc");
  EXPECT_EQ(get("HTTP/1.0 404 Not Found\r\n\r\ngone")->body, "gone");
}

TEST_F(ClientTest, CutShortMalformedOrTooLargeIsUnavailable) {
  ClientOptions small;
  small.body_limit_bytes = 3;
  for (const std::string answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "HTTP/1.1 200", "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd"}) {
    const auto response = get(answer, small);
    ASSERT_FALSE(response) << answer;
    EXPECT_EQ(response.error().code, ErrorCode::Unavailable);
  }
}

TEST_F(ClientTest, SilentServerTimesOut) {
  ClientOptions hasty;
  hasty.timeout = milliseconds(20);
  const auto response = testing::run(loop_, http::get(url(), hasty, timers_));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message, url() + ": timed out");
}

TEST_F(ClientTest, OnlyHttpAndHttpsUrlsAreTaken) {
  for (const std::string bad :
       {"", "ftp://h/", "http://", "http://user@h/", "/path", "https://h/"}) {
    const auto response = testing::run(loop_, http::get(bad, {}, timers_));
    ASSERT_FALSE(response) << bad;
    EXPECT_EQ(response.error().code, ErrorCode::InvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace sluice::http
