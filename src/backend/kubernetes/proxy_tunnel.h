// A way through a proxy to a host behind it: HTTP CONNECT (RFC 9110 9.3.6) or SOCKS 5 (RFC 1928).
#pragma once

#include <string>

#include "net/stream.h"

namespace sluice::backend::kubernetes {

enum class ProxyKind { HttpConnect, Socks5 };

/// Asks the proxy at the other end of `stream` for a connection; then the stream is the host's. The
/// proxy resolves the name. Errors: Unavailable, saying what the proxy answered; Cancelled.
net::Task<Result<>> open_tunnel(net::Stream& stream, ProxyKind kind, std::string host,
                                std::uint16_t port);

}  // namespace sluice::backend::kubernetes
