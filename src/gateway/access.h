// Who asks and may they: the steps of serve.cc that ask auth, counted.
#pragma once

#include "gateway/exchange.h"
#include "gateway/services.h"

namespace sluice::gateway {

/// Remembers the user in `exchange`. Errors: Unauthenticated; Unavailable when no keys can be had;
/// InvalidArgument when the request asks to act as somebody else.
net::Task<Result<auth::Caller>> authenticate(const Services& services, Exchange& exchange);

/// Errors: PermissionDenied; Unavailable when nobody can tell.
net::Task<Result<>> authorize(const Services& services, const Exchange& exchange,
                              const auth::Caller& caller, workload::Verb verb,
                              const std::string& project);

/// The right to one more session, watch or download. Errors: TooManySessions; Unavailable while
/// shutting down, and where they must be on record and the audit trail can't be written.
Result<SessionTicket> admit(const Services& services, const auth::Caller& caller);

}  // namespace sluice::gateway
