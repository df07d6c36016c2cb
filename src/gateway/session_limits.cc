#include "gateway/session_limits.h"

#include <utility>

#include <fmt/format.h>

namespace sluice::gateway {
namespace {

constexpr std::chrono::seconds kRetryAfter(5);

std::unexpected<Error> too_many(std::string message) {
  return fail(Error{ErrorCode::TooManySessions, std::move(message), {}, {}, kRetryAfter});
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
  const std::lock_guard lock(mutex_);
  if (running_ >= max_) {
    return too_many(
        fmt::format("this server already runs {} sessions, its most; try again later", max_));
  }
  std::size_t& of_user = running_of_[user];
  if (of_user >= max_per_user_) {
    return too_many(fmt::format(
        "you already have {} sessions, the most a user may have; end one first", max_per_user_));
  }
  ++of_user;
  ++running_;
  return SessionTicket(*this, user);
}

void SessionLimits::release(const std::string& user) {
  const std::lock_guard lock(mutex_);
  --running_;
  const auto position = running_of_.find(user);
  if (--position->second == 0) running_of_.erase(position);
}

std::size_t SessionLimits::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

}  // namespace sluice::gateway
