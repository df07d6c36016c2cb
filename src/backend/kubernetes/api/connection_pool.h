// ConnectionPool: connections to API servers that wait for their next request. Each belongs to the
// loop that it was made on and is used, and closed, only there.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/client_connection.h"
#include "net/timers.h"

namespace sluice::backend::kubernetes {

/// A connection to an API server, and what each request on it carries.
struct PooledConnection {
  PooledConnection(std::unique_ptr<net::Stream> stream, std::string host_field, std::string prefix)
      : http(std::move(stream)), authority(std::move(host_field)), path_prefix(std::move(prefix)) {}

  http::ClientConnection http;
  std::string authority;
  std::string path_prefix;
};

/// Any loop.
class ConnectionPool {
 public:
  /// Go's servers close what was idle for longer.
  static constexpr nanoseconds kMaxIdle = seconds(80);
  static constexpr std::size_t kMaxPerLoop = 16;

  explicit ConnectionPool(const net::Timers& timers) : timers_(timers) {}

  /// The most recently used one of that loop; null when there is none.
  std::unique_ptr<PooledConnection> take(const net::Executor& loop);
  /// Keeps the connection, if it can be used again.
  void give(const net::Executor& loop, std::unique_ptr<PooledConnection> connection);
  /// Closes those of that loop: they were made with credentials that hold no more.
  void close(const net::Executor& loop);
  /// Closes those of that loop that have waited for longer than kMaxIdle; so do take() and give().
  void close_idle(const net::Executor& loop);

 private:
  struct Waiting {
    net::Executor loop;
    MonotonicTime since;
    std::unique_ptr<PooledConnection> connection;
  };
  /// Takes out those of the loop that wait since before then.
  std::vector<Waiting> extract(const net::Executor& loop, MonotonicTime before);

  const net::Timers& timers_;
  std::mutex mutex_;
  std::vector<Waiting> waiting_;
};

}  // namespace sluice::backend::kubernetes
