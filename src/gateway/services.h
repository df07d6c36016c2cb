// What the request path works with; main makes it all and outlives every loop.
#pragma once

#include <atomic>

#include "auth/authorizer.h"
#include "auth/token_verifier.h"
#include "backend/backend.h"
#include "base/random.h"
#include "gateway/activity.h"
#include "gateway/session_limits.h"
#include "gateway/settings.h"
#include "http/message.h"
#include "net/timers.h"
#include "observe/audit_trail.h"
#include "observe/metrics.h"

namespace sluice::gateway {

/// Where the server is in its life; main moves it on, every loop reads it.
enum class Stage {
  Starting,
  Ready,
  Retiring,  // another process has the listeners: what is connected here is served to its end
  Draining,  // running sessions may end by themselves, new ones are refused
};

/// A connection takes no further request after the one under way.
inline bool is_ending(Stage stage) { return stage == Stage::Retiring || stage == Stage::Draining; }

struct Recordings;

struct Services {
  const Settings& settings;
  auth::TokenVerifier& tokens;
  auth::Authorizer& authorizer;
  backend::Backend& backend;
  net::Timers& timers;
  Random& random;
  Metrics& metrics;
  SessionLimits& limits;
  Activity& activity;
  const std::atomic<Stage>& stage;
  AuditTrail* audit;             // null: none is kept
  const Recordings* recordings;  // null: none are made
};

/// After the answer to this request, the connection takes another one.
inline bool keeps_alive(const Services& services, const http::RequestHead& head) {
  return head.keep_alive && !is_ending(services.stage.load(std::memory_order_relaxed));
}

}  // namespace sluice::gateway
