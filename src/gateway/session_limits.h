// How many sessions may run at the same time, in all and for one user, over all loops.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "base/result.h"

namespace sluice::gateway {

class SessionLimits;

/// The right to run one session; given back when dropped. On any thread.
class SessionTicket {
 public:
  SessionTicket() = default;
  SessionTicket(SessionTicket&& other) noexcept;
  SessionTicket& operator=(SessionTicket&& other) noexcept;
  ~SessionTicket() { give_back(); }

 private:
  friend class SessionLimits;
  SessionTicket(SessionLimits& limits, std::string user)
      : limits_(&limits), user_(std::move(user)) {}
  void give_back();

  SessionLimits* limits_ = nullptr;
  std::string user_;
};

/// Outlives its tickets.
class SessionLimits {
 public:
  SessionLimits(std::size_t max, std::size_t max_per_user)
      : max_(max), max_per_user_(max_per_user) {}

  /// Errors: TooManySessions, saying which limit.
  Result<SessionTicket> admit(const std::string& user);
  std::size_t running() const;

 private:
  friend class SessionTicket;
  void release(const std::string& user);

  const std::size_t max_;
  const std::size_t max_per_user_;
  // Taken when a session begins and ends, never while it runs.
  mutable std::mutex mutex_;
  std::size_t running_ = 0;
  std::unordered_map<std::string, std::size_t> running_of_;
};

}  // namespace sluice::gateway
