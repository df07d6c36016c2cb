#include "http/proxy_tunnel.h"

#include <gmock/gmock.h>

#include "testing/memory_pipe.h"
#include "testing/test_loop.h"

namespace sluice::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::string_literals;

class ProxyTunnelTest : public ::testing::Test {
 protected:
  /// Asks for h.example:6443 through a proxy that answers so.
  Result<> open(const Proxy& proxy, const std::string& answer, std::string host = "h.example") {
    EXPECT_TRUE(testing::run(loop_, pipe_.server->write(as_bytes(answer))));
    pipe_.server->shutdown_write();
    return testing::run(loop_, open_tunnel(*pipe_.client, proxy, std::move(host), 6443));
  }
  Result<> open(ProxyKind kind, const std::string& answer) {
    const Proxy proxy{kind, "p", 3128, {}};
    return open(proxy, answer);
  }
  std::string sent() { return read(*pipe_.server); }
  std::string read(net::Stream& stream) {
    std::string text;
    std::byte byte;
    while (stream.try_read({&byte, 1}).value_or(0).value_or(0) == 1) text += as_text({&byte, 1});
    return text;
  }

  net::EventLoop loop_;
  testing::MemoryPipe pipe_{loop_, {.fragment = 1}};
};

TEST_F(ProxyTunnelTest, HttpProxyIsAskedToConnect) {
  ASSERT_TRUE(open(ProxyKind::HttpConnect, "HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello"));
  EXPECT_EQ(sent(), "CONNECT h.example:6443 HTTP/1.1\r\nHost: h.example:6443\r\n\r\n");
  EXPECT_EQ(read(*pipe_.client), "hello");  // what follows is the host's
}

TEST_F(ProxyTunnelTest, HttpProxyIsGivenItsUserAndPassword) {
  const Result<Proxy> proxy = parse_proxy("http://me:p%40ss%3Aword@p:3128");
  ASSERT_TRUE(proxy) << proxy.error().message;
  EXPECT_EQ(proxy->host, "p");
  EXPECT_EQ(proxy->port, 3128);
  ASSERT_TRUE(open(*proxy, "HTTP/1.1 200 OK\r\n\r\n"));
  // base64 of me:p@ss:word
  EXPECT_THAT(sent(), HasSubstr("\r\nProxy-Authorization: Basic bWU6cEBzczp3b3Jk\r\n"));
}

TEST(Proxy, PasswordIsInNoError) {
  for (const char* text :
       {"http://me:secret@p:port", "http://me:secret%zz@p", "socks5://me:secret@p",
        "ftp://me:secret@p", "http://me:secret@p:99999", "http://me:secret@", "me:secret@p"}) {
    const Result<Proxy> proxy = parse_proxy(text);
    ASSERT_FALSE(proxy) << text;
    EXPECT_THAT(proxy.error().message, Not(HasSubstr("secret")));
  }
}

TEST(Proxy, OtherSchemesAreToldFromThoseThatAreSupported) {
  for (const char* text : {"socks4://p", "https://p", "ftp://p"}) {
    const Result<Proxy> proxy = parse_proxy(text);
    ASSERT_FALSE(proxy) << text;
    EXPECT_THAT(proxy.error().message, HasSubstr("http:// or socks5://"));
  }
}

TEST_F(ProxyTunnelTest, HttpProxysRefusalIsTold) {
  const auto opened = open(ProxyKind::HttpConnect, "HTTP/1.1 407 Authentication\r\n\r\n");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("407 Authentication"));
}

TEST_F(ProxyTunnelTest, SocksProxyIsGivenTheName) {
  ASSERT_TRUE(open(ProxyKind::Socks5, "\x05\x00\x05\x00\x00\x01\x0A\x00\x00\x01\x00\x50hello"s));
  EXPECT_EQ(sent(), "\x05\x01\x00\x05\x01\x00\x03\x09h.example\x19\x2B"s);
  EXPECT_EQ(read(*pipe_.client), "hello");
}

TEST_F(ProxyTunnelTest, SocksProxysBoundNameIsSkipped) {
  ASSERT_TRUE(open(ProxyKind::Socks5, "\x05\x00\x05\x00\x00\x03\x02xy\x00\x50hello"s));
  EXPECT_EQ(read(*pipe_.client), "hello");
}

TEST_F(ProxyTunnelTest, SocksProxysRefusalIsTold) {
  EXPECT_FALSE(open(ProxyKind::Socks5, "\x05\xFF"s));
}

TEST_F(ProxyTunnelTest, SocksReplyIsTold) {
  const auto opened = open(ProxyKind::Socks5, "\x05\x00\x05\x05\x00\x01\x00"s);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("SOCKS reply 5"));
}

TEST_F(ProxyTunnelTest, EndIsTold) {
  EXPECT_FALSE(open(ProxyKind::HttpConnect, "HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace sluice::http
