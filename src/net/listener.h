// Listener: a listening TCP socket. Each event loop opens one of its own on the same port
// (SO_REUSEPORT), and the kernel spreads the connections.
#pragma once

#include <functional>
#include <memory>

#include "net/tcp_stream.h"
#include "net/timers.h"

namespace sluice::net {

/// "127.0.0.1:8080", "[::1]:0", "localhost:8080", ":8080" (all addresses), taken apart.
struct ListenAddress {
  std::string address;  // a literal; "::" for all
  std::uint16_t port = 0;
  bool operator==(const ListenAddress&) const = default;
  bool is_loopback() const;
  /// Whether a socket that is bound to `bound` is what this asks for. Port 0 asks for any.
  bool is_met_by(const ListenAddress& bound) const;
  /// As in a URL: "127.0.0.1:8080", "[::1]:8080".
  std::string to_string() const;
};

/// Errors: InvalidArgument, saying what a listen address looks like.
Result<ListenAddress> parse_listen_address(std::string_view text);

/// Where an inherited socket listens. Errors: InvalidArgument: it is no listening TCP socket.
Result<ListenAddress> listening_address(int socket);

class Listener {
 public:
  /// The first listener on an address insists that nobody else has it; the other loops' join it.
  enum class Sharing { First, Joining };

  /// Binds and listens. Port 0 picks a free one; give the joining listeners what address() says.
  /// Errors: Unavailable ("127.0.0.1:8080: address already in use").
  static Result<Listener> open(Executor executor, const ListenAddress& address, Sharing sharing);

  /// Takes a socket that listens already, maybe together with other listeners, also in other
  /// processes. Errors: as listening_address().
  static Result<Listener> adopt(Executor executor, UniqueFd socket);

  /// The next connection, after what else is ready on the loop: those that come as fast as they
  /// are accepted don't keep it. While `has_room` says that there is none, and when it is out of
  /// descriptors, it leaves them in the socket's queue and looks again 20 times a second. Errors:
  /// Cancelled.
  Task<Result<std::unique_ptr<TcpStream>>> accept(Timers& timers, std::function<bool()> has_room);
  Task<Result<std::unique_ptr<TcpStream>>> accept(Timers& timers) {
    return accept(timers, [] { return true; });
  }

  /// With the port that was picked.
  const ListenAddress& address() const { return address_; }
  int fd() { return descriptor_.fd(); }
  void close() { descriptor_.close(); }

 private:
  Listener(Executor executor, UniqueFd socket, ListenAddress address);

  Executor executor_;
  Descriptor descriptor_;
  ListenAddress address_;
};

}  // namespace sluice::net
