#include "backend/kubernetes/api/readiness.h"

#include <utility>

#include "http/status.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr seconds kReadySoon{1};

/// 404: something stands in for an API server, and has no /readyz. 403: the server has not even
/// read that all may ask this.
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
                       .message = "the cluster's API server is not ready: it does not know yet who "
                                  "may do what",
                       .cause = "/readyz: " + error_of(response).message,
                       .retry_after = kReadySoon});
}

net::Task<Error> judge_refusal(ApiClient& client, Error refusal) {
  if (refusal.code != ErrorCode::PermissionDenied) co_return refusal;
  const Result<> ready = co_await check_ready(client);
  if (ready) co_return refusal;
  Error error = ready.error();
  error.cause += "; before: " + refusal.message;
  co_return error;
}

}  // namespace sluice::backend::kubernetes
