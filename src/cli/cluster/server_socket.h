// ServerSocket: a command's WebSocket to the server with what keeps it honest: it pings, so that
// nothing on the way takes a quiet session for a dead one, and says so when nothing comes back.
#pragma once

#include <memory>
#include <optional>

#include "net/task_group.h"
#include "net/timers.h"
#include "net/write_turns.h"
#include "ws/connection.h"

namespace sluice::cli {

class ServerSocket {
 public:
  /// Proxies and load balancers cut what is silent for a minute or less.
  static constexpr nanoseconds kPingInterval = seconds(20);
  /// A server from which nothing came for so long is gone.
  static constexpr nanoseconds kSilence = 3 * kPingInterval;
  /// How long the server may take for our Close.
  static constexpr nanoseconds kClosePatience = seconds(5);
  static constexpr std::size_t kMaxMessageBytes = 64_KiB;

  /// `timers` outlives it. end() must be awaited before destruction.
  ServerSocket(net::Executor executor, net::Timers& timers,
               std::unique_ptr<ws::Connection> connection);
  ServerSocket(const ServerSocket&) = delete;
  ServerSocket& operator=(const ServerSocket&) = delete;

  /// The next piece of a message, valid until the next receive(), or the Close that ends it all:
  /// the server's, or one of code Abnormal when the connection is lost. Errors: Cancelled.
  net::Task<Result<ws::Received>> receive();
  /// Sends one binary message; senders take turns. Errors: Unavailable, Cancelled.
  net::Task<Result<>> send(Bytes message);
  /// Says goodbye and ends everything.
  net::Task<> end();

 private:
  net::Task<> keep_alive();
  bool is_silent() const;

  net::Timers& timers_;
  std::unique_ptr<ws::Connection> connection_;
  net::WriteTurns turns_;
  std::optional<MonotonicTime> waiting_since_;  // receive() does
  bool given_up_ = false;
  bool closed_ = false;  // the server's Close was received, or the connection is lost
  net::TaskGroup tasks_;
};

}  // namespace sluice::cli
