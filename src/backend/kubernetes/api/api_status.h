// What the API server's refusals mean to our callers.
#pragma once

#include "base/error.h"
#include "http/message.h"

namespace sluice::backend::kubernetes {

/// The error that a response other than 2xx is, in the words of its Status object where it has one:
/// 400 and 422 → InvalidArgument, 401 → Unavailable (it is our own credentials that were refused),
/// 403 → PermissionDenied, 404 → NotFound, 409 and 410 → Conflict, all others → Unavailable.
Error error_of(const http::Response& response);

}  // namespace sluice::backend::kubernetes
