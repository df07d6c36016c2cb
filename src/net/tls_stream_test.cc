#include "net/tls_stream.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/file.h"
#include "net/listener.h"
#include "testing/test_certificate.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

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
  std::string certificate_pem() const { return *read_file(certificate_file(), 64_KiB); }
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
  std::pair<Result<StreamPtr>, Result<StreamPtr>> pair(const std::string& authorities,
                                                       const std::string& host = "localhost") {
    auto server = TlsContext::for_server(certificate_file(), key_file());
    auto client = TlsContext::for_client({.authorities_pem = authorities});
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
  const Result<> written = co_await stream.write(as_bytes(bytes));
  EXPECT_TRUE(written);
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
  auto [server, client] = pair(certificate_pem());
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

TEST_F(TlsStreamTest, ReadTakesAllRecordsThatHaveCome) {
  auto [server, client] = pair(certificate_pem());
  ASSERT_TRUE(server && client);
  for (const std::string_view record : {"one ", "two ", "three"}) {
    ASSERT_EQ((*server)->try_write(as_bytes(record)), record.size());
  }
  std::vector<std::byte> block(64_KiB);
  const auto count = testing::run(loop_, (*client)->read(block));
  ASSERT_TRUE(count);
  EXPECT_EQ(as_text(Bytes(block).first(*count)), "one two three");
}

TEST_F(TlsStreamTest, WhatCameBeforeALostConnectionIsReadBeforeTheErrorIs) {
  auto [server, client] = pair(certificate_pem());
  ASSERT_TRUE(server && client);
  ASSERT_EQ((*server)->try_write(as_bytes("all")), 3U);
  static_cast<TlsStream&>(**server).tcp().close();
  std::vector<std::byte> block(64_KiB);
  EXPECT_EQ(testing::run(loop_, (*client)->read(block)), 3U);
  const auto count = testing::run(loop_, (*client)->read(block));
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, ErrorCode::Unavailable);
}

TEST_F(TlsStreamTest, EndWithoutCloseNotifyIsALostConnection) {
  auto [server, client] = pair(certificate_pem());
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
  const auto [server, client] = pair(certificate_pem(), "elsewhere.example");
  EXPECT_FALSE(client);
}

TEST_F(TlsStreamTest, AddressInTheCertificateIsTrusted) {
  const auto [server, client] = pair(certificate_pem(), "127.0.0.1");
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

TEST_F(TlsStreamTest, ErrorsOfOtherCallsInTheThreadsQueueAreNotTakenForItsOwn) {
  auto [server, client] = pair(certificate_pem());
  ASSERT_TRUE(server && client);
  ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
  std::byte byte;
  EXPECT_EQ((*server)->try_read({&byte, 1}), std::nullopt);
  ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
  EXPECT_EQ((*client)->try_write(as_bytes("x")), 1U);
}

TEST_F(TlsStreamTest, WritingToALostConnectionIsAnErrorAndNoSignal) {
  auto [server, client] = pair(certificate_pem());
  ASSERT_TRUE(server && client);
  (*server)->abort();
  const std::string megabyte(1'000'000, 'x');
  const auto written = testing::run(loop_, (*client)->write(as_bytes(megabyte)));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::Unavailable);
}

TEST_F(TlsStreamTest, ClosedStreamTouchesNoDescriptor) {
  auto [server, client] = pair(certificate_pem());
  ASSERT_TRUE(server && client);
  (*client)->close();
  std::byte byte;
  EXPECT_FALSE((*client)->try_read({&byte, 1}));
  EXPECT_FALSE((*client)->try_write(as_bytes("x")));
  EXPECT_EQ(testing::run(loop_, (*client)->readable()).error().code, ErrorCode::Cancelled);
}

TEST_F(TlsStreamTest, DestructionTellsThePeerThatNothingIsMissing) {
  auto [server, client] = pair(certificate_pem());
  ASSERT_TRUE(server && client);
  server->reset();
  std::byte byte;
  EXPECT_EQ(testing::run(loop_, (*client)->read({&byte, 1})), 0U);
}

TEST_F(TlsStreamTest, SilentClientIsCutAtTheDeadline) {
  testing::VirtualClock clock(loop_);
  auto context = TlsContext::for_server(certificate_file(), key_file());
  auto listener = Listener::open(loop_.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
  auto plain = testing::run(loop_, connect_tcp("127.0.0.1", listener->address().port));
  auto accepted = testing::run(loop_, listener->accept(clock));
  ASSERT_TRUE(plain && accepted);
  std::optional<Result<std::unique_ptr<TlsStream>>> stream;
  TaskGroup group(loop_.executor());
  auto accepting = accept_tls(*std::move(accepted), *context, clock, seconds(5));
  group.spawn("accept", testing::store_result(std::move(accepting), stream));
  clock.advance(milliseconds(4'999));
  EXPECT_FALSE(stream);
  clock.advance(milliseconds(1));
  testing::run_until_empty(loop_, group);
  ASSERT_TRUE(stream && !*stream);
  EXPECT_EQ(stream->error().message, "TLS: the handshake took too long");
}

/// A client of OpenSSL's own, for what TlsStream never does.
class RawClient {
 public:
  RawClient(std::unique_ptr<TcpStream> tcp, int max_version)
      : tcp_(std::move(tcp)),
        context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
        tls(SSL_new(context_.get()), SSL_free) {
    SSL_set_min_proto_version(tls.get(), TLS1_VERSION);
    SSL_set_max_proto_version(tls.get(), max_version);
    SSL_set_security_level(tls.get(), 0);
    SSL_set_fd(tls.get(), tcp_->fd());
  }
  /// Repeats `call` until it is done. False: it failed.
  Task<bool> finish(std::function<int()> call) {
    while (true) {
      const int result = call();
      if (result == 1) co_return true;
      if (SSL_get_error(tls.get(), result) != SSL_ERROR_WANT_READ) co_return false;
      const Result<> ready = co_await tcp_->readable();
      if (!ready) co_return false;
    }
  }

 private:
  std::unique_ptr<TcpStream> tcp_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;

 public:
  std::unique_ptr<SSL, void (*)(SSL*)> tls;
};

class RawTlsTest : public TlsStreamTest {
 protected:
  /// The handshake of a client that `prepare` has set up: the server's stream, or why not.
  Result<StreamPtr> handshake(int max_version, const std::function<void(SSL*)>& prepare) {
    auto context = TlsContext::for_server(certificate_file(), key_file());
    auto listener = Listener::open(loop_.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
    auto tcp = testing::run(loop_, connect_tcp("127.0.0.1", listener->address().port));
    client_ = std::make_unique<RawClient>(*std::move(tcp), max_version);
    prepare(client_->tls.get());
    std::optional<Result<StreamPtr>> server;
    std::optional<bool> connected;
    TaskGroup group(loop_.executor());
    group.spawn("serve", testing::store_result(serve(*listener, *context), server));
    auto connecting = client_->finish([this] { return SSL_connect(client_->tls.get()); });
    group.spawn("connect", testing::store_result(std::move(connecting), connected));
    testing::run_until_empty(loop_, group);
    return *std::move(server);
  }

  std::unique_ptr<RawClient> client_;
};

TEST_F(RawTlsTest, KeyUpdateInTheMiddleLosesNothing) {
  auto server = handshake(TLS1_3_VERSION, [](SSL*) {});
  ASSERT_TRUE(server) << server.error().message;
  SSL* tls = client_->tls.get();
  ASSERT_EQ(SSL_write(tls, "before ", 7), 7);
  ASSERT_EQ(SSL_key_update(tls, SSL_KEY_UPDATE_REQUESTED), 1);
  ASSERT_EQ(SSL_write(tls, "after", 5), 5);
  SSL_shutdown(tls);
  std::string got;
  testing::run(loop_, read_all(**server, got));
  EXPECT_EQ(got, "before after");

  ASSERT_TRUE(testing::run(loop_, (*server)->write(as_bytes("!"))));
  char answer = 0;
  EXPECT_TRUE(testing::run(loop_, client_->finish([&] { return SSL_read(tls, &answer, 1); })));
  EXPECT_EQ(answer, '!');
}

TEST_F(RawTlsTest, Tls12IsServedAndOlderIsNot) {
  EXPECT_TRUE(handshake(TLS1_2_VERSION, [](SSL*) {}));
  EXPECT_FALSE(handshake(TLS1_1_VERSION, [](SSL*) {}));
}

TEST_F(RawTlsTest, ClientThatWantsOnlyHttp2IsRefused) {
  const auto offer = [](std::string_view protocols) {
    return [protocols](SSL* tls) {
      SSL_set_alpn_protos(tls, reinterpret_cast<const unsigned char*>(protocols.data()),
                          static_cast<unsigned>(protocols.size()));
    };
  };
  EXPECT_FALSE(handshake(TLS1_3_VERSION, offer("\x02h2")));
  EXPECT_TRUE(handshake(TLS1_3_VERSION, offer("\x02h2\x08http/1.1")));
}

TEST_F(TlsStreamTest, ClientShowsItsCertificateToAServerThatAsks) {
  auto server = TlsContext::for_server(certificate_file(), key_file());
  SSL_CTX_set_verify((*server)->get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_load_verify_locations((*server)->get(), certificate_file().c_str(), nullptr);
  TlsClientOptions options{.authorities_pem = certificate_pem()};
  for (const bool shown : {false, true}) {
    if (shown) {
      options.certificate_pem = options.authorities_pem;
      options.key_pem = *read_file(key_file(), 64_KiB);
    }
    const auto client = TlsContext::for_client(options);
    ASSERT_TRUE(client) << client.error().message;
    auto listener = Listener::open(loop_.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
    std::optional<Result<StreamPtr>> accepted, connected;
    TaskGroup group(loop_.executor());
    group.spawn("serve", testing::store_result(serve(*listener, *server), accepted));
    auto connecting = connect(listener->address().port, *client, "localhost");
    group.spawn("connect", testing::store_result(std::move(connecting), connected));
    testing::run_until_empty(loop_, group);
    EXPECT_EQ(accepted->has_value(), shown);
  }
}

TEST_F(TlsStreamTest, BrokenTextsOfAClientAreNamed) {
  const testing::TestCertificate one = testing::make_test_certificate();
  const testing::TestCertificate other = testing::make_test_certificate();
  const std::pair<TlsClientOptions, std::string> expected[] = {
      {{.authorities_pem = "nonsense"}, "certificate authorities: "},
      {{.authorities_pem = one.certificate_pem + "-----BEGIN CERTIFICATE-----\nx\n"},
       "certificate authorities: "},
      {{.certificate_pem = "nonsense", .key_pem = one.key_pem}, "client certificate: "},
      {{.certificate_pem = one.certificate_pem, .key_pem = "nonsense"}, "client key: "},
      {{.certificate_pem = one.certificate_pem, .key_pem = other.key_pem}, "client key: "},
  };
  for (const auto& [options, start] : expected) {
    const auto context = TlsContext::for_client(options);
    ASSERT_FALSE(context);
    EXPECT_TRUE(context.error().message.starts_with(start)) << context.error().message;
  }
}

TEST_F(TlsStreamTest, MissingFileIsNamed) {
  const auto context = TlsContext::for_server("/nowhere/cert.pem", key_file());
  ASSERT_FALSE(context);
  EXPECT_TRUE(context.error().message.starts_with("/nowhere/cert.pem: "));
}

}  // namespace
}  // namespace sluice::net
