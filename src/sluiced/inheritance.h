// Inheritance: what the process that started sluiced has handed to it: listening sockets, from
// systemd (socket activation, sd_listen_fds(3)) or from a sluiced that this one follows
// (hand_over.h), and then also the socket on which the two agree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "net/listener.h"

namespace sluice::sluiced {

/// The descriptor of the first of them (SD_LISTEN_FDS_START).
inline constexpr int kFirstSocket = 3;

/// The name of a socket says which address it is for, where two of them could be meant.
inline constexpr std::string_view kClientSocket = "listen";
inline constexpr std::string_view kAdminSocket = "admin";

/// The variables of the environment, beside LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID. The
/// predecessor doesn't know its successor's pid in time for LISTEN_PID.
inline constexpr const char* kPredecessorVariable = "SLUICED_PREDECESSOR";  // its descriptor
inline constexpr const char* kHeldVariable = "SLUICED_SOCKETS_HELD";        // set: see is_held()

class Inheritance {
 public:
  /// Nothing is inherited.
  Inheritance() = default;
  /// Takes what the environment tells of, and the variables out of it. Before there is a thread.
  /// Errors: InvalidArgument.
  static Result<Inheritance> take();

  bool has_sockets() const { return had_sockets_; }
  /// The service manager holds the sockets as well: who stops accepting leaves the clients waiting
  /// for the next server.
  bool is_held() const { return held_; }
  /// Takes out those that listen at `address`. With port 0, those of one port.
  std::vector<UniqueFd> claim(const net::ListenAddress& address, std::string_view name);
  /// Closes the sockets that nobody has claimed; where they listened.
  std::vector<net::ListenAddress> close_unclaimed();

  /// Set when another sluiced runs, which this one follows.
  UniqueFd predecessor;

 private:
  struct Socket {
    UniqueFd socket;
    net::ListenAddress address;
    std::string name;
  };
  Result<> take_sockets(std::int64_t count, std::string_view names);

  std::vector<Socket> sockets_;
  bool had_sockets_ = false;
  bool held_ = false;
};

}  // namespace sluice::sluiced
