#include "session/watchdog.h"

#include <algorithm>

namespace sluice::session {
namespace {

// The wall clock may run differently from the one that we sleep by: a sleep is never long, and
// short once the end is near, so that expiry is noticed within a second of it. When the wall clock
// is set by more than half a minute at once, somebody must ask again before the sleep is over
// (ClockJump).
constexpr nanoseconds kLongestSleep = seconds(30);
constexpr nanoseconds kNearExpiry = seconds(60);
constexpr nanoseconds kSleepNearExpiry = milliseconds(500);

}  // namespace

Watchdog::Watchdog(const SessionContext& context, MonotonicTime now)
    : keepalive_({.ping_interval = context.ping_interval, .idle_timeout = context.idle_timeout},
                 now),
      token_expires_at_(context.token_expires_at) {}

Watchdog::Decision Watchdog::decide(MonotonicTime now, WallTime wall_now,
                                    MonotonicTime last_received) {
  Decision decision;
  if (wall_now >= token_expires_at_) {
    decision.end = SessionEnd{SessionEndKind::TokenExpired, "token expired", {}};
    return decision;
  }
  const ws::Keepalive::Decision peer = keepalive_.decide(now, last_received);
  switch (peer.action) {
    case ws::Keepalive::Action::Wait: break;
    case ws::Keepalive::Action::SendPing: decision.ping = true; break;
    case ws::Keepalive::Action::IdleTimeout:
      decision.end = SessionEnd{SessionEndKind::IdleTimeout, "idle timeout", {}};
      break;
  }
  decision.next = std::min(peer.next, next_expiry_check(now, wall_now));
  return decision;
}

MonotonicTime Watchdog::next_expiry_check(MonotonicTime now, WallTime wall_now) const {
  if (token_expires_at_ == WallTime::max()) return MonotonicTime::max();
  // Compared before it is subtracted: the difference of far times would overflow.
  if (token_expires_at_ > wall_now + kNearExpiry + kLongestSleep) return now + kLongestSleep;
  const nanoseconds left = token_expires_at_ - wall_now;
  if (left > kNearExpiry) return now + (left - kNearExpiry);
  return now + std::min(left, kSleepNearExpiry);
}

}  // namespace sluice::session
