// Whether the API server's denials are to be believed: one that has just started denies all that it
// has yet to read the roles for, and says so by its /readyz alone (kubernetes/apiserver
// pkg/server/healthz.go, the check "informer-sync").
#pragma once

#include "backend/kubernetes/api/api_client.h"
#include "base/error.h"
#include "net/task.h"

namespace sluice::backend::kubernetes {

/// Errors: Unavailable (it has just started, or does not answer), Cancelled.
net::Task<Result<>> check_ready(ApiClient& client);

/// The refusal; if it is a denial, and the server is not ready, what check_ready() says instead.
net::Task<Error> believed(ApiClient& client, Error refusal);

}  // namespace sluice::backend::kubernetes
