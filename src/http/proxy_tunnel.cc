#include "http/proxy_tunnel.h"

#include <algorithm>

#include <boost/url/pct_string_view.hpp>
#include <fmt/format.h>

#include "base/base64.h"
#include "base/text.h"
#include "http/url.h"
#include "http/url_text.h"

namespace sluice::http {
namespace {

constexpr std::size_t kMaxAnswerBytes = 16 * 1024;

std::unexpected<Error> refused(std::string why) {
  return fail(ErrorCode::Unavailable, "the proxy refused: " + why);
}

/// Exactly so many bytes: what follows is no longer the proxy's.
net::Task<Result<std::string>> read_exactly(net::Stream& stream, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const MutableBytes room = std::as_writable_bytes(std::span(bytes)).subspan(got);
    CO_TRY(const std::size_t count, co_await stream.read(room));
    if (count == 0) co_return refused("it closed the connection");
    got += count;
  }
  co_return bytes;
}

net::Task<Result<>> connect_http(net::Stream& stream, std::string authorization, std::string host,
                                 std::uint16_t port) {
  const bool is_v6 = host.contains(':');
  const std::string target = fmt::format("{}:{}", is_v6 ? "[" + host + "]" : host, port);
  std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", target);
  if (!authorization.empty()) request += "Proxy-Authorization: " + authorization + "\r\n";
  request += "\r\n";
  CO_TRY_VOID(co_await stream.write(as_bytes(request)));
  std::string answer;
  while (!answer.ends_with("\r\n\r\n")) {
    CO_TRY(const std::string byte, co_await read_exactly(stream, 1));
    answer += byte;
    if (answer.size() > kMaxAnswerBytes) co_return refused("its answer is too long");
  }
  const std::string line = answer.substr(0, answer.find('\r'));
  const bool granted = line.starts_with("HTTP/1.") && line.size() >= 12 && line[9] == '2';
  if (!granted) co_return refused(line);
  co_return Result<>{};
}

net::Task<Result<>> connect_socks(net::Stream& stream, std::string host, std::uint16_t port) {
  using namespace std::string_literals;
  const std::string greeting = "\x05\x01\x00"s;  // version 5, one method: no authentication
  CO_TRY_VOID(co_await stream.write(as_bytes(greeting)));
  CO_TRY(const std::string method, co_await read_exactly(stream, 2));
  if (method != "\x05\x00"s) co_return refused("it is no SOCKS 5 proxy without authentication");
  if (host.size() > 255) co_return refused("the name is too long");
  std::string request = "\x05\x01\x00\x03"s;  // connect to a name
  request += static_cast<char>(host.size());
  request += host;
  request += static_cast<char>(port >> 8);
  request += static_cast<char>(port & 0xFF);
  CO_TRY_VOID(co_await stream.write(as_bytes(request)));
  CO_TRY(const std::string head, co_await read_exactly(stream, 5));
  if (head[0] != 5 || head[1] != 0) {
    co_return refused(fmt::format("SOCKS reply {}", static_cast<int>(head[1])));
  }
  // The bound address, of which head[4] is the first byte, and the port.
  std::size_t rest = 3 + 2;
  if (head[3] == 4) rest = 15 + 2;
  if (head[3] == 3) rest = static_cast<unsigned char>(head[4]) + std::size_t{2};
  CO_TRY_VOID(co_await read_exactly(stream, rest));
  co_return Result<>{};
}

/// RFC 7617: of a URL's "user:password", percent-encoded.
Result<std::string> basic_authorization(const std::string& user_information) {
  const auto encoded = boost::urls::make_pct_string_view(user_information);
  if (!encoded) {
    return fail(ErrorCode::InvalidArgument,
                "the proxy's user and password are not well encoded: % needs two hex digits");
  }
  const bool has_password = user_information.contains(':');
  const std::string user_password = encoded->decode() + (has_password ? "" : ":");
  return "Basic " + base64_encode(as_bytes(user_password));
}

}  // namespace

Result<Proxy> parse_proxy(const std::string& text) {
  const std::size_t colon = std::min(text.find("://"), text.size());
  const bool is_socks = equals_ignore_case(text.substr(0, colon), "socks5");
  if (!is_socks && !equals_ignore_case(text.substr(0, colon), "http")) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("\"{}\": a proxy must be an http:// or socks5:// URL, other schemes "
                            "are not supported",
                            without_user(text)));
  }
  const std::string rest = text.substr(std::min(colon + 3, text.size()));
  const std::size_t at = rest.substr(0, rest.find('/')).rfind('@');
  const bool has_user = at != std::string::npos;
  TRY(const Url url, parse_url("http://" + (has_user ? rest.substr(at + 1) : rest)));
  if (!is_socks) {
    Proxy proxy{ProxyKind::HttpConnect, url.host, url.port, {}};
    if (has_user) {
      TRY(proxy.authorization, basic_authorization(rest.substr(0, at)));
    }
    return proxy;
  }
  if (has_user) {
    return fail(ErrorCode::InvalidArgument,
                "a user and password are supported for http:// proxies only");
  }
  constexpr std::uint16_t kHttpPort = 80, kSocksPort = 1080;
  const bool has_port = url.port != kHttpPort || url.authority.ends_with(":80");
  return Proxy{ProxyKind::Socks5, url.host, has_port ? url.port : kSocksPort, {}};
}

net::Task<Result<>> open_tunnel(net::Stream& stream, const Proxy& proxy, std::string host,
                                std::uint16_t port) {
  return proxy.kind == ProxyKind::Socks5
             ? connect_socks(stream, std::move(host), port)
             : connect_http(stream, proxy.authorization, std::move(host), port);
}

}  // namespace sluice::http
