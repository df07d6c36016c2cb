#include "http/client.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/file.h"
#include "net/listener.h"
#include "net/tls_stream.h"
#include "testing/test_certificate.h"
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

class SecureClientTest : public ClientTest {
 protected:
  SecureClientTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("sluice-client-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    const testing::TestCertificate made = testing::make_test_certificate();
    certificate_pem_ = made.certificate_pem;
    (void)write_file_atomically(certificate_file(), made.certificate_pem, 0600);
    (void)write_file_atomically(key_file(), made.key_pem, 0600);
  }
  ~SecureClientTest() override { std::filesystem::remove_all(folder_); }

  std::string certificate_file() const { return (folder_ / "cert.pem").string(); }
  std::string key_file() const { return (folder_ / "key.pem").string(); }

  net::Task<> serve_securely(std::string answer) {
    auto tcp = co_await listener_.accept(timers_);
    auto context = net::TlsContext::for_server(certificate_file(), key_file());
    auto stream = co_await net::accept_tls(*std::move(tcp), *context, timers_, seconds(5));
    if (!stream) co_return;
    std::array<std::byte, 4096> block;
    const auto count = co_await (*stream)->read(block);
    request_ = as_text(Bytes(block).first(count.value_or(0)));
    const Result<> written = co_await (*stream)->write(as_bytes(answer));
    EXPECT_TRUE(written);
  }
  Result<Response> get_securely(const std::string& authorities, std::string answer) {
    net::TaskGroup group(loop_.executor());
    group.spawn("serve", serve_securely(std::move(answer)));
    ClientOptions options;
    options.tls = *net::TlsContext::for_client({.authorities_pem = authorities});
    Result<Response> response =
        testing::run(loop_, http::get("https" + url().substr(4), options, timers_));
    group.cancel();
    testing::run_until_empty(loop_, group);
    return response;
  }

 protected:
  std::string certificate_pem_;

 private:
  std::filesystem::path folder_;
};

TEST_F(SecureClientTest, GetsFromATrustedServer) {
  const auto response = get_securely(certificate_pem_, "HTTP/1.0 200 OK\r\n\r\n{}");
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "{}");
}

TEST_F(SecureClientTest, SendsNothingToAServerThatIsNotTrusted) {
  const auto response = get_securely("", "HTTP/1.0 200 OK\r\n\r\n{}");
  ASSERT_FALSE(response);
  EXPECT_NE(response.error().message.find("certificate not trusted"), std::string::npos);
  EXPECT_EQ(request_, "");
}

TEST_F(ClientTest, EndlessChunkHeadIsUnavailable) {
  const auto response =
      get("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;" + std::string(70'000, 'a'));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::Unavailable);
}

}  // namespace
}  // namespace sluice::http
