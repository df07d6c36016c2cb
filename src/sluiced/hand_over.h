// Handing over to another sluiced, the program that is installed by now, while both run. The old
// one starts it with its listening sockets and one end of a socket pair. When the new one could
// serve, it says so and waits; the old one stops accepting and lets it go on. Whoever sees the end
// of the socket instead goes on alone (the old one) or ends (the new one). So clients wait for a
// moment, in the sockets, and are never refused.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/descriptor.h"
#include "sluiced/inheritance.h"

namespace sluice::sluiced {

struct SuccessorStart {
  std::string program;                 // a path
  std::vector<std::string> arguments;  // those after the program's name
  struct Socket {
    int fd;
    std::string_view name;  // kClientSocket or kAdminSocket
  };
  std::vector<Socket> sockets;
  bool held = false;  // by the service manager: Inheritance::is_held()
};

/// Of the old server.
class Successor {
 public:
  /// Errors: Unavailable.
  static Result<std::unique_ptr<Successor>> start(net::Executor executor,
                                                  const SuccessorStart& start);
  /// Unless it was let serve, it is told to end.
  ~Successor();
  Successor(const Successor&) = delete;
  Successor& operator=(const Successor&) = delete;

  /// Its process, once it could serve. Errors: Unavailable (it ended), Cancelled.
  net::Task<Result<pid_t>> ready();
  void let_serve();

 private:
  Successor(net::Executor executor, UniqueFd socket, pid_t child);

  net::Descriptor socket_;
  pid_t child_;  // which starts the server and ends
};

/// Of the new server.
class Predecessor {
 public:
  Predecessor(net::Executor executor, UniqueFd socket) : socket_(executor, std::move(socket)) {}

  /// Says that we could serve; completes when we may. Errors: Unavailable (the old server goes on
  /// serving), Cancelled.
  net::Task<Result<>> take_over();

 private:
  net::Descriptor socket_;
};

/// What a new server does first thing: it becomes nobody's child, so that its end is told to the
/// service manager and not to the old server. Before there is a thread. Errors: Unavailable.
Result<> leave_parent();

}  // namespace sluice::sluiced
