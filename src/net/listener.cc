#include "net/listener.h"

#include <netinet/in.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "net/socket_address.h"
#include "net/yield.h"

namespace sluice::net {
namespace {

constexpr int kBacklog = 4096;
/// How long to wait when no connection can be accepted.
constexpr milliseconds kPause(50);

std::unexpected<Error> bad_address(std::string_view text) {
  return fail(ErrorCode::InvalidArgument, "\"" + std::string(text) +
                                              "\" is no listen address: expected HOST:PORT such as "
                                              "127.0.0.1:8080, [::1]:8080 or :8080");
}

std::unexpected<Error> cannot_listen(const ListenAddress& address, int error_number) {
  const std::string reason = error_number == EADDRINUSE      ? "address already in use"
                             : error_number == EACCES        ? "permission denied"
                             : error_number == EADDRNOTAVAIL ? "not an address of this machine"
                                                             : std::strerror(error_number);
  return fail(ErrorCode::Unavailable, address.to_string() + ": " + reason);
}

/// Whether somebody else listens there: SO_REUSEPORT alone would let two servers share a port.
bool is_taken(const SocketAddress& address) {
  const UniqueFd probe(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return ::bind(probe.get(), address.get(), address.length) != 0 && errno == EADDRINUSE;
}

}  // namespace

bool ListenAddress::is_loopback() const { return address == "::1" || address.starts_with("127."); }

bool ListenAddress::is_met_by(const ListenAddress& bound) const {
  if (port != 0 && port != bound.port) return false;
  // An IPv6 address has many texts.
  const std::optional<SocketAddress> own = parse_socket_address(address, 0);
  const std::optional<SocketAddress> other = parse_socket_address(bound.address, 0);
  return own && other && own->to_string() == other->to_string();
}

std::string ListenAddress::to_string() const {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text);
  const std::optional<std::int64_t> port = parse_int64(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return bad_address(text);
  std::string host(text.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "::";
  if (host == "localhost") host = "127.0.0.1";
  if (!parse_socket_address(host, 0)) return bad_address(text);
  return ListenAddress{std::move(host), static_cast<std::uint16_t>(*port)};
}

Result<ListenAddress> listening_address(int socket) {
  int listens = 0;
  socklen_t size = sizeof listens;
  SocketAddress bound;
  bound.length = sizeof bound.storage;
  const bool is_listener = ::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
                           listens != 0 && ::getsockname(socket, bound.get(), &bound.length) == 0;
  const auto family = bound.storage.ss_family;
  if (!is_listener || (family != AF_INET && family != AF_INET6)) {
    return fail(ErrorCode::InvalidArgument,
                "descriptor " + std::to_string(socket) + " is no listening TCP socket");
  }
  return parse_listen_address(bound.to_string());
}

Listener::Listener(Executor executor, UniqueFd socket, ListenAddress address)
    : executor_(executor), descriptor_(executor, std::move(socket)), address_(std::move(address)) {}

Result<Listener> Listener::open(Executor executor, const ListenAddress& address, Sharing sharing) {
  std::optional<SocketAddress> bound = parse_socket_address(address.address, address.port);
  if (!bound) return cannot_listen(address, EADDRNOTAVAIL);
  if (sharing == Sharing::First && is_taken(*bound)) return cannot_listen(address, EADDRINUSE);
  UniqueFd socket(
      ::socket(bound->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  const int off = 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  // "::" serves IPv4 as well, whatever the system's default.
  ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(socket.get(), bound->get(), bound->length) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return cannot_listen(address, errno);
  }
  ::getsockname(socket.get(), bound->get(), &bound->length);
  return Listener(executor, std::move(socket), ListenAddress{address.address, bound->port()});
}

Result<Listener> Listener::adopt(Executor executor, UniqueFd socket) {
  TRY(ListenAddress address, listening_address(socket.get()));
  return Listener(executor, std::move(socket), std::move(address));
}

Task<Result<std::unique_ptr<TcpStream>>> Listener::accept(Timers& timers,
                                                          std::function<bool()> has_room) {
  CO_TRY_VOID(co_await yield());  // before there is one, for a task that ends here would lose it
  while (true) {
    if (!has_room()) {
      CO_TRY_VOID(co_await timers.sleep_for(kPause));
      continue;
    }
    SocketAddress peer;
    peer.length = sizeof peer.storage;
    const int fd =
        ::accept4(descriptor_.fd(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      co_return std::make_unique<TcpStream>(executor_, UniqueFd(fd), peer.to_string());
    }
    switch (errno) {
      case EAGAIN:
      case EBADF:  // closed, as the wait tells
        CO_TRY_VOID(co_await descriptor_.readable());
        break;
      // The connection died in the queue: on to the next. accept(2) names them.
      case ECONNABORTED:
      case EINTR:
      case EPERM:
      case EPROTO:
      case ENETDOWN:
      case ENOPROTOOPT:
      case EHOSTDOWN:
      case ENONET:
      case EHOSTUNREACH:
      case EOPNOTSUPP:
      case ENETUNREACH: break;
      // No descriptor is left, or no memory; whatever else it is, trying at once would only spin.
      default: CO_TRY_VOID(co_await timers.sleep_for(kPause));
    }
  }
}

}  // namespace sluice::net
