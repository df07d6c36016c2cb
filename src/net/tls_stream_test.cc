#include "net/tls_stream.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/file.h"
#include "net/listener.h"
#include "testing/test_certificate.h"
#include "testing/test_loop.h"

namespace sluice::net {
namespace {

using StreamPtr = std::unique_ptr<Stream>;

class TlsStreamTest : public ::testing::Test {
 protected:
  TlsStreamTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("sluice-tls-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    write_certificate();
  }
  ~TlsStreamTest() override { std::filesystem::remove_all(folder_); }

  std::string certificate_file() const { return (folder_ / "cert.pem").string(); }
  std::string key_file() const { return (folder_ / "key.pem").string(); }

  void write_certificate() const {
    const testing::TestCertificate made = testing::make_test_certificate();
    ASSERT_TRUE(write_file_atomically(certificate_file(), made.certificate_pem, 0600));
    ASSERT_TRUE(write_file_atomically(key_file(), made.key_pem, 0600));
  }

  Task<Result<StreamPtr>> serve(Listener& listener, std::shared_ptr<const TlsContext> context) {
    CO_TRY(auto tcp, co_await listener.accept(timers_));
    CO_TRY(StreamPtr stream, co_await accept_tls(std::move(tcp), context, timers_, seconds(5)));
    co_return stream;
  }
  Task<Result<StreamPtr>> connect(std::uint16_t port, std::shared_ptr<const TlsContext> context,
                                  std::string host) {
    CO_TRY(auto tcp, co_await connect_tcp("127.0.0.1", port));
    CO_TRY(StreamPtr stream,
           co_await connect_tls(std::move(tcp), context, host, timers_, seconds(5)));
    co_return stream;
  }

  /// Both ends of one connection, or why there is none.
  std::pair<Result<StreamPtr>, Result<StreamPtr>> pair(const std::string& ca_file,
                                                       const std::string& host = "localhost") {
    auto server = TlsContext::for_server(certificate_file(), key_file());
    auto client = TlsContext::for_client(ca_file);
    auto listener = Listener::open(loop_.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
    std::optional<Result<StreamPtr>> accepted, connected;
    TaskGroup group(loop_.executor());
    group.spawn("serve", testing::store_result(serve(*listener, *server), accepted));
    group.spawn("connect",
                testing::store_result(connect(listener->address().port, *client, host), connected));
    testing::run_until_empty(loop_, group);
    return {*std::move(accepted), *std::move(connected)};
  }

  EventLoop loop_;
  SystemTimers timers_;
  std::filesystem::path folder_;
};

Task<> write_all(Stream& stream, std::string bytes) {
  EXPECT_TRUE(co_await stream.write(as_bytes(bytes)));
  stream.shutdown_write();
}

Task<> read_all(Stream& stream, std::string& into) {
  std::vector<std::byte> block(64_KiB);
  while (true) {
    const auto count = co_await stream.read(block);
    EXPECT_TRUE(count) << count.error().message;
    if (!count || *count == 0) co_return;
    into += as_text(Bytes(block).first(*count));
  }
}

TEST_F(TlsStreamTest, LargeTransfersBothWaysAtOnce) {
  auto [server, client] = pair(certificate_file());
  ASSERT_TRUE(server && client);
  const std::string up(5'000'000, 'u'), down(7'000'000, 'd');
  std::string got_up, got_down;
  TaskGroup group(loop_.executor());
  group.spawn("up", write_all(**client, up));
  group.spawn("down", write_all(**server, down));
  group.spawn("read up", read_all(**server, got_up));
  group.spawn("read down", read_all(**client, got_down));
  testing::run_until_empty(loop_, group);
  EXPECT_TRUE(got_up == up);
  EXPECT_TRUE(got_down == down);
}

TEST_F(TlsStreamTest, EndWithoutCloseNotifyIsALostConnection) {
  auto [server, client] = pair(certificate_file());
  ASSERT_TRUE(server && client);
  static_cast<TlsStream&>(**server).tcp().close();
  std::byte byte;
  const auto count = testing::run(loop_, (*client)->read({&byte, 1}));
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, ErrorCode::Unavailable);
}

TEST_F(TlsStreamTest, UntrustedServerIsRefusedAndSaysWhy) {
  const auto [server, client] = pair("");
  ASSERT_FALSE(client);
  EXPECT_NE(client.error().message.find("certificate not trusted"), std::string::npos)
      << client.error().message;
}

TEST_F(TlsStreamTest, CertificateOfAnotherNameIsRefused) {
  const auto [server, client] = pair(certificate_file(), "elsewhere.example");
  EXPECT_FALSE(client);
}

TEST_F(TlsStreamTest, AddressInTheCertificateIsTrusted) {
  const auto [server, client] = pair(certificate_file(), "127.0.0.1");
  EXPECT_TRUE(client);
}

TEST_F(TlsStreamTest, PlaintextClientIsALostConnection) {
  auto context = TlsContext::for_server(certificate_file(), key_file());
  auto listener = Listener::open(loop_.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
  auto plain = testing::run(loop_, connect_tcp("127.0.0.1", listener->address().port));
  ASSERT_TRUE(testing::run(loop_, (*plain)->write(as_bytes("GET / HTTP/1.1\r\n\r\n"))));
  EXPECT_FALSE(testing::run(loop_, serve(*listener, *context)));
}

TEST_F(TlsStreamTest, ChangedCertificateIsReloadedAndABrokenOneIsNot) {
  auto certificate = TlsCertificate::open(certificate_file(), key_file());
  ASSERT_TRUE(certificate);
  const auto first = (*certificate)->current();
  (*certificate)->reload_if_changed();
  EXPECT_EQ((*certificate)->current(), first);

  write_certificate();
  (*certificate)->reload_if_changed();
  const auto second = (*certificate)->current();
  EXPECT_NE(second, first);

  ASSERT_TRUE(write_file_atomically(certificate_file(), "nonsense", 0600));
  (*certificate)->reload_if_changed();
  EXPECT_EQ((*certificate)->current(), second);
}

TEST_F(TlsStreamTest, MissingFileIsNamed) {
  const auto context = TlsContext::for_server("/nowhere/cert.pem", key_file());
  ASSERT_FALSE(context);
  EXPECT_TRUE(context.error().message.starts_with("/nowhere/cert.pem: "));
}

}  // namespace
}  // namespace sluice::net
