// A way through a proxy to a host behind it: HTTP CONNECT (RFC 9110 9.3.6) or SOCKS 5 (RFC 1928).
#pragma once

#include <string>

#include "net/stream.h"

namespace sluice::http {

enum class ProxyKind { HttpConnect, Socks5 };

struct Proxy {
  ProxyKind kind = ProxyKind::HttpConnect;
  std::string host;
  std::uint16_t port = 0;
  std::string authorization;  // the value of Proxy-Authorization (RFC 7617), a secret; empty: none
};

/// "http://proxy.example:3128", "http://user:password@proxy.example" (percent-encoded) or
/// "socks5://proxy.example". Errors: InvalidArgument, without the password.
Result<Proxy> parse_proxy(const std::string& text);

/// Asks `proxy`, at the other end of `stream`, for a connection; then the stream is the host's. The
/// proxy resolves the name. Both outlive it. Errors: Unavailable, saying what the proxy answered;
/// Cancelled.
net::Task<Result<>> open_tunnel(net::Stream& stream, const Proxy& proxy, std::string host,
                                std::uint16_t port);

}  // namespace sluice::http
