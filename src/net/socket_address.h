// IP socket addresses between text and the kernel's form. No names: those are resolved elsewhere.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

namespace sluice::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  std::uint16_t port() const;
  /// "192.0.2.1:80", "[2001:db8::1]:80".
  std::string to_string() const;
};

/// An IPv4 or IPv6 literal; nullopt when it is neither.
std::optional<SocketAddress> parse_socket_address(const std::string& address, std::uint16_t port);

}  // namespace sluice::net
