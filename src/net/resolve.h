// Host names to addresses, without blocking the loop: the system's resolver runs on a thread of its
// own.
#pragma once

#include <string>
#include <vector>

#include "net/tcp_stream.h"

namespace sluice::net {

/// IP literals in the order in which to try them; a literal resolves to itself. Errors: Unavailable
/// ("cannot resolve NAME: …"), Cancelled: the look-up then runs on by itself and is forgotten.
Task<Result<std::vector<std::string>>> resolve(std::string host);

/// Resolves, and connects to the first address that answers. Errors: those of both; the last
/// address's.
Task<Result<std::unique_ptr<TcpStream>>> connect_host(std::string host, std::uint16_t port);

}  // namespace sluice::net
