#include "net/tcp_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "net/socket_address.h"
#include "net/wait.h"

namespace sluice::net {
namespace {

std::string describe(int error_number) {
  switch (error_number) {
    case ECONNREFUSED: return "connection refused";
    case ECONNRESET: return "connection reset";
    case EPIPE: return "connection closed";
    case ETIMEDOUT: return "timed out";
    default: {
      char buffer[128];
      return strerror_r(error_number, buffer, sizeof buffer);
    }
  }
}

std::unexpected<Error> lost(int error_number) {
  return fail(ErrorCode::Unavailable, describe(error_number));
}

}  // namespace

TcpStream::TcpStream(Executor executor, UniqueFd socket, std::string peer)
    : descriptor_(executor, std::move(socket)), peer_(std::move(peer)) {
  const int on = 1;
  ::setsockopt(descriptor_.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Task<Result<>> TcpStream::readable() {
  patience_.begin_wait(descriptor_.executor(), descriptor_.fd(), std::chrono::steady_clock::now());
  return descriptor_.readable();
}

Task<Result<>> TcpStream::writable() { return descriptor_.writable(); }

Result<std::optional<std::size_t>> TcpStream::try_read(MutableBytes into) {
  while (true) {
    const ssize_t count = ::recv(descriptor_.fd(), into.data(), into.size(), 0);
    patience_.note_read(static_cast<std::size_t>(std::max(count, ssize_t{0})));
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN) return std::nullopt;
    if (errno != EINTR) return lost(errno);
  }
}

Result<std::size_t> TcpStream::try_write(Bytes bytes) {
  while (true) {
    const ssize_t count = ::send(descriptor_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) return lost(errno);
  }
}

Result<std::size_t> TcpStream::try_write_both(Bytes first, Bytes second) {
  std::array<iovec, 2> parts = {iovec{const_cast<std::byte*>(first.data()), first.size()},
                                iovec{const_cast<std::byte*>(second.data()), second.size()}};
  const msghdr message{.msg_iov = parts.data(), .msg_iovlen = parts.size()};
  while (true) {
    const ssize_t count = ::sendmsg(descriptor_.fd(), &message, MSG_NOSIGNAL);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) return lost(errno);
  }
}

void TcpStream::shutdown_write() { ::shutdown(descriptor_.fd(), SHUT_WR); }

void TcpStream::close() {
  patience_.stop();
  descriptor_.close();
}

void TcpStream::abort() {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  patience_.stop();
  ::setsockopt(descriptor_.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  descriptor_.close();
}

void TcpStream::set_user_timeout(milliseconds timeout) {
  // The kernel takes milliseconds as an int: of more, from 24 days and 20 hours on, it would refuse
  // what looks negative, and take what is left of the lower 32 bits for a short time.
  constexpr milliseconds kLongest(std::numeric_limits<int>::max());
  const int value = static_cast<int>(std::min(timeout, kLongest).count());
  ::setsockopt(descriptor_.fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof value);
}

void TcpStream::set_keepalive(seconds idle) {
  const int on = 1;
  const int interval = static_cast<int>(idle.count());
  ::setsockopt(descriptor_.fd(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(descriptor_.fd(), IPPROTO_TCP, TCP_KEEPIDLE, &interval, sizeof interval);
  ::setsockopt(descriptor_.fd(), IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
}

Task<Result<std::unique_ptr<TcpStream>>> connect_tcp(std::string address, std::uint16_t port) {
  const std::optional<SocketAddress> peer = parse_socket_address(address, port);
  if (!peer) co_return fail(ErrorCode::Unavailable, address + " is not an IP address");
  UniqueFd socket(::socket(peer->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) co_return lost(errno);
  const int fd = socket.get();
  auto stream = std::make_unique<TcpStream>(co_await boost::asio::this_coro::executor,
                                            std::move(socket), peer->to_string());
  if (::connect(fd, peer->get(), peer->length) != 0) {
    if (errno != EINPROGRESS) co_return lost(errno);
    CO_TRY_VOID(co_await stream->writable());
    int error_number = 0;
    socklen_t size = sizeof error_number;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error_number, &size);
    if (error_number != 0) co_return lost(error_number);
  }
  co_return stream;
}

}  // namespace sluice::net
