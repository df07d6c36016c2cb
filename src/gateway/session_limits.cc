#include "gateway/session_limits.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "ws/held_bytes.h"

namespace sluice::gateway {
namespace {

/// How soon a place may be free again is not known.
constexpr nanoseconds kPlaceWait = seconds(5);
constexpr std::size_t kLeastUsersToForget = 1'000;

std::string message_of(Limit limit, const Settings& settings) {
  switch (limit) {
    case Limit::Sessions:
      return fmt::format("this server already runs {} sessions, its most; try again later",
                         settings.max_sessions);
    case Limit::SessionsPerUser:
      return fmt::format("you already have {} sessions, the most a user may have; end one first",
                         settings.max_sessions_per_user);
    case Limit::BufferedBytes:
      return fmt::format(
          "sessions hold {} bytes that their clients have yet to read, the most this server keeps; "
          "read them or end some, and try again later",
          settings.max_buffered_bytes);
    case Limit::UpgradeRate:
      return fmt::format(
          "more sessions are being started than this server takes on, {} a second; try again "
          "after the time in Retry-After",
          settings.upgrade_rate.per_second);
    case Limit::UpgradeRatePerUser:
      return fmt::format(
          "you start sessions faster than a user may, {} a second; try again after the time in "
          "Retry-After, and start fewer at once",
          settings.upgrade_rate_per_user.per_second);
    case Limit::Connections:
    case Limit::HeaderSize:
    case Limit::BodySize:
    case Limit::MessageSize:
    case Limit::kCount: break;
  }
  std::unreachable();  // no limits of sessions
}

}  // namespace

SessionTicket::SessionTicket(SessionTicket&& other) noexcept
    : limits_(std::exchange(other.limits_, nullptr)), user_(std::move(other.user_)) {}

SessionTicket& SessionTicket::operator=(SessionTicket&& other) noexcept {
  if (this != &other) {
    give_back();
    limits_ = std::exchange(other.limits_, nullptr);
    user_ = std::move(other.user_);
  }
  return *this;
}

void SessionTicket::give_back() {
  if (SessionLimits* limits = std::exchange(limits_, nullptr)) limits->release(user_);
}

Result<SessionTicket> SessionLimits::admit(const std::string& user) {
  const MonotonicTime now = clock_.now();
  const RateLimit& rate = settings_.upgrade_rate;
  const RateLimit& rate_per_user = settings_.upgrade_rate_per_user;
  constexpr nanoseconds kNow(0);
  const std::lock_guard lock(mutex_);
  if (running_ >= settings_.max_sessions) return refuse(Limit::Sessions, kPlaceWait);
  if (ws::held_bytes() >= settings_.max_buffered_bytes) {
    return refuse(Limit::BufferedBytes, kPlaceWait);
  }
  forget_quiet_users(now);
  User& of_user = users_[user];
  if (of_user.running >= settings_.max_sessions_per_user) {
    return refuse(Limit::SessionsPerUser, kPlaceWait);
  }
  // What a user is refused takes nothing from the others.
  const nanoseconds wait_of_user = of_user.upgrades.wait(rate_per_user, now);
  if (wait_of_user > kNow) return refuse(Limit::UpgradeRatePerUser, wait_of_user);
  const nanoseconds wait = upgrades_.wait(rate, now);
  if (wait > kNow) return refuse(Limit::UpgradeRate, wait);
  of_user.upgrades.take(rate_per_user, now);
  upgrades_.take(rate, now);
  ++of_user.running;
  ++running_;
  return SessionTicket(*this, user);
}

std::unexpected<Error> SessionLimits::refuse(Limit limit, nanoseconds wait) const {
  metrics_.limit_reached(limit);
  return fail(Error{.code = ErrorCode::TooManySessions,
                    .message = message_of(limit, settings_),
                    .retry_after = std::chrono::ceil<seconds>(wait)});
}

/// Now and then, so that who came once is not kept for ever.
void SessionLimits::forget_quiet_users(MonotonicTime now) {
  if (users_.size() < std::max(forget_at_, kLeastUsersToForget)) return;
  std::erase_if(users_, [now](const auto& entry) {
    return entry.second.running == 0 && entry.second.upgrades.is_full(now);
  });
  forget_at_ = 2 * users_.size();
}

void SessionLimits::release(const std::string& user) {
  const std::lock_guard lock(mutex_);
  --running_;
  --users_.at(user).running;
}

std::size_t SessionLimits::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

std::size_t SessionLimits::known_users() const {
  const std::lock_guard lock(mutex_);
  return users_.size();
}

}  // namespace sluice::gateway
