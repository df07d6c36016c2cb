// The end of a session, in all places that keep account of it: metrics, log, audit trail.
#pragma once

#include <string>

#include "gateway/audit.h"

namespace sluice::gateway {

/// `id` is what audit_session_begin() gave.
void record_session_end(const Services& services, const std::string& id,
                        const SessionSubject& subject, const SessionOutcome& outcome);

}  // namespace sluice::gateway
