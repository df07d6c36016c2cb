// Keepalive: when to ping and when to give a peer up, as pure arithmetic on time. A peer is idle
// when nothing came from it, neither data nor pong; so a quiet one lives as long as it answers
// pings.
#pragma once

#include "base/clock.h"

namespace sluice::ws {

class Keepalive final {
 public:
  struct Options {
    nanoseconds ping_interval = seconds(30);
    nanoseconds idle_timeout = seconds(300);
  };
  enum class Action { Wait, SendPing, IdleTimeout };
  struct Decision {
    Action action = Action::Wait;
    MonotonicTime next;  // call decide() again then, or earlier
  };

  Keepalive(Options options, MonotonicTime now);

  /// What is due now. SendPing counts as done once it was returned.
  Decision decide(MonotonicTime now, MonotonicTime last_received);

  /// The server itself stops reading the client, because the target takes no more: the client's
  /// silence then says nothing, so idle time does not run until resume(). Pings go on.
  void hold_back() { held_back_ = true; }
  void resume(MonotonicTime now);

 private:
  Options options_;
  MonotonicTime next_ping_;
  MonotonicTime listening_since_;
  bool held_back_ = false;
};

}  // namespace sluice::ws
