// ForwardedConnection: the bytes of one connection between this machine's end and a pod's port,
// each direction with an end of its own (halfClose=empty: an empty message is it).
#pragma once

#include <optional>

#include "cli/cluster/server_socket.h"
#include "cli/port/local_end.h"
#include "net/task_group.h"

namespace sluice::cli {

class ForwardedConnection {
 public:
  /// Both outlive it.
  ForwardedConnection(net::Executor executor, ServerSocket& socket, LocalEnd& local);

  /// Until both directions have ended. Errors: why the connection did not end in order: Unavailable
  /// (it was lost), Unauthenticated, Internal (the server's word); Cancelled.
  net::Task<Result<>> run();

 private:
  net::Task<> send();
  net::Task<> receive();
  net::Task<Result<>> take(const ws::MessagePiece& piece);
  void end(Result<> result);

  ServerSocket& socket_;
  LocalEnd& local_;
  std::optional<Result<>> result_;
  net::TaskGroup tasks_;
};

}  // namespace sluice::cli
