// The one place where an Error becomes an HTTP answer (contract section 3).
#pragma once

#include "base/error.h"
#include "http/message.h"

namespace sluice::gateway {

/// How a workload that can't be found is answered: as the original service does, or properly.
enum class MissingWorkload { PlainText500, Json404 };

unsigned status_of(ErrorCode code, MissingWorkload missing);

/// JSON {"code", "message", "details"?} with what the status calls for: Allow, WWW-Authenticate,
/// Upgrade, Retry-After. Never the error's cause.
http::Response error_response(const Error& error, MissingWorkload missing);

}  // namespace sluice::gateway
