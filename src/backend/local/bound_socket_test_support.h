// A port of a test's own: what is behind a pod's port need not be the pod's.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

#include <gtest/gtest.h>

#include "base/unique_fd.h"

namespace sluice::backend::local {

struct BoundSocket {
  UniqueFd fd;
  std::uint16_t port = 0;
};

/// A port that nobody listens on; while the socket is there, no other program can.
inline BoundSocket bind_to_loopback() {
  BoundSocket result{UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(result.fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ::getsockname(result.fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  result.port = ntohs(address.sin_port);
  return result;
}

inline BoundSocket listen_on_loopback() {
  BoundSocket result = bind_to_loopback();
  EXPECT_EQ(::listen(result.fd.get(), 8), 0);
  return result;
}

}  // namespace sluice::backend::local
