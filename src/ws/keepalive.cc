#include "ws/keepalive.h"

#include <algorithm>

namespace sluice::ws {

Keepalive::Keepalive(Options options, MonotonicTime now)
    : options_(options), next_ping_(now + options.ping_interval), listening_since_(now) {}

Keepalive::Decision Keepalive::decide(MonotonicTime now, MonotonicTime last_received) {
  const MonotonicTime idle_at =
      held_back_ ? MonotonicTime::max()
                 : std::max(last_received, listening_since_) + options_.idle_timeout;
  if (now >= idle_at) return {Action::IdleTimeout, now};
  Action action = Action::Wait;
  if (now >= next_ping_) {
    action = Action::SendPing;
    next_ping_ = now + options_.ping_interval;
  }
  return {action, std::min(next_ping_, idle_at)};
}

void Keepalive::resume(MonotonicTime now) {
  held_back_ = false;
  listening_since_ = now;
}

}  // namespace sluice::ws
