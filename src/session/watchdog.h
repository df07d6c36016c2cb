// Watchdog: what may end a session without anybody doing anything: a peer that has gone silent, and
// a token that has expired. Decides when to ping, too. Pure arithmetic; session_run.cc sleeps for
// it.
#pragma once

#include <optional>

#include "session/session.h"
#include "ws/keepalive.h"

namespace sluice::session {

class Watchdog final {
 public:
  Watchdog(const SessionContext& context, MonotonicTime now);

  struct Decision {
    std::optional<SessionEnd> end;
    bool ping = false;
    MonotonicTime next;  // ask again then, at the latest
  };
  /// What is due. `last_received`: when anything came from the peer.
  Decision decide(MonotonicTime now, WallTime wall_now, MonotonicTime last_received);

  /// The session stops and goes on receiving, because its target takes no more: see ws::Keepalive.
  void hold_back() { keepalive_.hold_back(); }
  void resume(MonotonicTime now) { keepalive_.resume(now); }

 private:
  MonotonicTime next_expiry_check(MonotonicTime now, WallTime wall_now) const;

  ws::Keepalive keepalive_;
  WallTime token_expires_at_;
};

}  // namespace sluice::session
