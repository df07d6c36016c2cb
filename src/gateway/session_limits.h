// How many sessions may run at the same time, and how many may begin in a second, in all and for
// one user, over all loops.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "base/token_bucket.h"
#include "gateway/settings.h"
#include "observe/metrics.h"

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

/// Outlives its tickets; what it is made with outlives it.
class SessionLimits {
 public:
  SessionLimits(const Settings& settings, const Clock& clock, Metrics& metrics)
      : settings_(settings), clock_(clock), metrics_(metrics) {}

  /// Errors: TooManySessions, saying which limit, and when to come again; counted.
  Result<SessionTicket> admit(const std::string& user);
  std::size_t running() const;
  /// Of how many users something is kept: those with sessions, or who began some lately.
  std::size_t known_users() const;

 private:
  friend class SessionTicket;
  struct User {
    std::size_t running = 0;
    TokenBucket upgrades;
  };

  std::unexpected<Error> refuse(Limit limit, nanoseconds wait) const;
  void forget_quiet_users(MonotonicTime now);
  void release(const std::string& user);

  const Settings& settings_;
  const Clock& clock_;
  Metrics& metrics_;
  // Taken when a session begins and ends, never while it runs.
  mutable std::mutex mutex_;
  std::size_t running_ = 0;
  TokenBucket upgrades_;
  std::unordered_map<std::string, User> users_;
  std::size_t forget_at_ = 0;  // so many users
};

}  // namespace sluice::gateway
