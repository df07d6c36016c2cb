// The last steps of serve.cc before a session runs: what the backend opened and the upgraded
// connection are put together.
#pragma once

#include "gateway/exchange.h"
#include "gateway/port_forward_request.h"
#include "gateway/services.h"
#include "gateway/stream_request.h"
#include "gateway/upgrade.h"

namespace sluice::gateway {

session::ProcessSessionOptions process_options(const StreamRequest& request,
                                               session::Framing framing);
/// Several ports are framed in channels even when no subprotocol asks for it.
session::PortSessionOptions port_options(const PortForwardRequest& request,
                                         session::Framing framing);

/// Connects to each port in turn. A port that nobody listens on is for the session to report; what
/// is wrong with the pod itself is an error. Errors: Conflict, NotFound.
net::Task<Result<std::vector<session::ForwardedPort>>> connect_ports(
    const Services& services, const auth::Caller& caller, const workload::ContainerRef& container,
    const std::vector<std::uint16_t>& ports);

/// Which container the request is for; from now on it is on record with it. Errors:
/// Backend::resolve()'s.
net::Task<Result<workload::ContainerRef>> resolve(const Services& services, Exchange& exchange,
                                                  const auth::Caller& caller,
                                                  const workload::WorkloadRef& workload,
                                                  const backend::Target& target);

/// What the exchange has on record by now, as of a session of this kind with an id of its own.
SessionSubject subject_of(const Services& services, const Exchange& exchange, SessionKind kind);

/// A session that lacks its source and its socket. After resolve().
std::unique_ptr<UpgradedSession> prepare(const Services& services, const Exchange& exchange,
                                         SessionKind kind, const auth::Caller& caller,
                                         SessionTicket ticket);

/// The source of a session of exec or attach; what it carries is recorded if the session is.
ProcessSource process_source(std::unique_ptr<backend::RemoteProcess> process,
                             const session::ProcessSessionOptions& options,
                             UpgradedSession& session);

/// What the backend opened is on record, as a session; then the 101 is sent, and the session has
/// its socket. A client that is gone by then ends it like any other. Errors: Unavailable (client
/// gone), Cancelled.
net::Task<Result<Answer>> start_session(const Services& services, Exchange& exchange,
                                        const Upgrade& upgrade,
                                        std::unique_ptr<UpgradedSession> session);

}  // namespace sluice::gateway
