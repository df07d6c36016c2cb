// From a routed request to its answer: one function an endpoint, whose lines are the contract's
// order of checks (section 2): token (401), path and query (400), permission (403), upgrade (426),
// limits (429), existence and state (404, 409, 500, 503), then 101 or the body. ARCHITECTURE.md
// walks through one.
#pragma once

#include "gateway/exchange.h"
#include "gateway/services.h"

namespace sluice::gateway {

/// Errors are for error_response(). Cancelling leaves the connection fit for nothing but abort().
net::Task<Result<Answer>> serve(const Services& services, Exchange& exchange);

}  // namespace sluice::gateway
