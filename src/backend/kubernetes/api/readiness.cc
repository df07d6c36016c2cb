#include "backend/kubernetes/api/readiness.h"

#include <utility>

#include "http/status.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr seconds kReadySoon{1};

/// Of what stands in for an API server and has no such path, nothing is known to the contrary. That
/// the question is denied has the reason that it asks about.
bool says_ready(unsigned status) {
  return status == http::status::kOk || status == http::status::kNotFound;
}

}  // namespace

net::Task<Result<>> check_ready(ApiClient& client) {
  ApiRequest request;
  request.path = "/readyz";
  request.accept = "*/*";
  CO_TRY(const http::Response response, co_await client.request(std::move(request)));
  if (says_ready(response.head.status)) co_return Result<>{};
  co_return fail(Error{.code = ErrorCode::Unavailable,
                       .message = "the cluster's API server has just started: it does not know "
                                  "yet who may do what",
                       .retry_after = kReadySoon});
}

net::Task<Error> believed(ApiClient& client, Error refusal) {
  if (refusal.code != ErrorCode::PermissionDenied) co_return refusal;
  const Result<> ready = co_await check_ready(client);
  co_return ready ? refusal : ready.error();
}

}  // namespace sluice::backend::kubernetes
