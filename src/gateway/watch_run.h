// The life of a watch of workloads, from the head of its answer to the end of the body: what there
// is to tell (workload_events.h), a heartbeat while there is nothing, and at last the reason why it
// ends.
#pragma once

#include <memory>

#include "gateway/exchange.h"
#include "gateway/services.h"
#include "gateway/session_registry.h"

namespace sluice::gateway {

/// Completes when something has ended the watch, which is then counted and logged as a session.
/// True: the body has come to its end, and the connection may serve the next request; otherwise it
/// was aborted.
net::Task<bool> run_workload_watch(const Services& services, SessionRegistry& registry,
                                   Exchange& exchange, std::unique_ptr<WorkloadWatch> watch);

}  // namespace sluice::gateway
