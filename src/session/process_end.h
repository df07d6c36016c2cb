// How a process ended, in the two ways that clients are told: the end of the session, and the
// Status object of Kubernetes' channel 3.
#pragma once

#include <string>

#include "session/session.h"

namespace sluice::session {

/// A non-zero exit code is a result, not a failure: Completed.
SessionEnd session_end_of(const backend::ProcessExit& exit);

std::string status_of(const backend::ProcessExit& exit);

}  // namespace sluice::session
