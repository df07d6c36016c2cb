// Whether the API server's denials are to be believed: one that has just started denies all that it
// has yet to read the roles for, and says so by its /readyz alone, whose check "informer-sync"
// covers them (kubernetes/apiserver pkg/server/healthz/healthz.go).
#pragma once

#include "backend/kubernetes/api/api_client.h"
#include "base/error.h"
#include "net/task.h"

namespace sluice::backend::kubernetes {

/// Asks the server that the calling loop has just heard, where there are several: the ApiClient
/// gives the connection that it used last. Errors: Unavailable (it is not ready, or does not
/// answer), Cancelled.
net::Task<Result<>> check_ready(ApiClient& client);

/// What a refusal amounts to: itself; but a denial by a server that is not ready what check_ready()
/// says, with the denial as its cause.
net::Task<Error> judge_refusal(ApiClient& client, Error refusal);

}  // namespace sluice::backend::kubernetes
