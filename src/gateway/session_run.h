// The life of a session after its 101: it runs, its end becomes a Close frame, and one line of the
// log.
#pragma once

#include <memory>

#include "gateway/services.h"
#include "gateway/session_registry.h"
#include "gateway/upgraded_session.h"

namespace sluice::gateway {

/// Completes when the connection has ended. Cancelling ends it at once.
net::Task<> run_session(const Services& services, SessionRegistry& registry,
                        std::unique_ptr<UpgradedSession> session);

}  // namespace sluice::gateway
