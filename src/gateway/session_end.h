// The end of a session, in all places that keep account of it: metrics, log, audit trail.
#pragma once

#include "gateway/audit.h"

namespace sluice::gateway {

void record_session_end(const Services& services, const SessionSubject& subject,
                        const SessionOutcome& outcome);

}  // namespace sluice::gateway
