// How many client connections may be open at the same time, over all loops, sessions included: each
// takes a descriptor, which whoever has no token may do, too.
#pragma once

#include <atomic>
#include <cstddef>

#include "observe/metrics.h"

namespace sluice::gateway {

class ConnectionLimit;

/// One open connection, while it lives. On any thread.
class ConnectionPlace {
 public:
  ConnectionPlace() = default;  // of a connection that isn't counted
  explicit ConnectionPlace(ConnectionLimit& limit);
  ConnectionPlace(ConnectionPlace&& other) noexcept;
  ConnectionPlace& operator=(ConnectionPlace&& other) = delete;
  ~ConnectionPlace();

 private:
  ConnectionLimit* limit_ = nullptr;
};

/// Outlives its places. Loops that accept in the same moment may go over it, by one each.
class ConnectionLimit {
 public:
  ConnectionLimit(std::size_t most, Metrics& metrics) : most_(most), metrics_(metrics) {}

  /// Whether one more may be accepted. Each time that it begins to be false is counted.
  bool has_room();

 private:
  friend class ConnectionPlace;

  const std::size_t most_;
  Metrics& metrics_;
  std::atomic<std::size_t> open_ = 0;
  std::atomic<bool> is_full_ = false;
};

}  // namespace sluice::gateway
