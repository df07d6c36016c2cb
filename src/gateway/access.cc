#include "gateway/access.h"

#include "base/text.h"
#include "gateway/bearer_token.h"

namespace sluice::gateway {
namespace {

net::Task<auth::Accepted<auth::Caller>> verified_caller(const Services& services,
                                                        const http::RequestHead& head) {
  CO_TRY(std::string token, find_bearer_token(head));
  co_return co_await services.tokens.verify(std::move(token));
}

/// The token alone says who acts. A request that names somebody else must not go on in silence:
/// whoever sent it believes that it has effect.
Result<> refuse_impersonation(const http::FieldMap& fields) {
  constexpr std::string_view kPrefix = "Impersonate-";
  for (const http::Field& field : fields) {
    if (!equals_ignore_case(std::string_view(field.name).substr(0, kPrefix.size()), kPrefix))
      continue;
    return fail(ErrorCode::InvalidArgument,
                "Impersonate-* headers are not accepted; the token says who acts");
  }
  return {};
}

Result<> check_audit(const Services& services) {
  if (services.audit == nullptr || !services.audit->refuses_sessions()) return {};
  return fail(ErrorCode::Unavailable,
              "sessions are refused while the server can't write its audit trail");
}

}  // namespace

net::Task<Result<auth::Caller>> authenticate(const Services& services, Exchange& exchange) {
  auth::Accepted<auth::Caller> caller = co_await verified_caller(services, exchange.head);
  if (caller) {
    exchange.user = caller->user;
    exchange.groups = caller->groups;
    CO_TRY_VOID(refuse_impersonation(exchange.head.fields));
  } else if (caller.error().code == ErrorCode::Unauthenticated) {
    services.metrics.authentication_failed(caller.error().reason);
  }
  co_return Result<auth::Caller>(std::move(caller));
}

net::Task<Result<>> authorize(const Services& services, const Exchange& exchange,
                              const auth::Caller& caller, workload::Verb verb,
                              const std::string& project) {
  Result<> allowed = co_await services.authorizer.authorize(caller, verb, project);
  if (!allowed && allowed.error().code == ErrorCode::PermissionDenied) {
    services.metrics.authorization_denied(exchange.route.endpoint);
  }
  co_return allowed;
}

Result<SessionTicket> admit(const Services& services, const auth::Caller& caller) {
  if (services.stage.load(std::memory_order_relaxed) == Stage::Draining) {
    return fail(Error{.code = ErrorCode::Unavailable,
                      .message = "the server is shutting down; connect again",
                      .retry_after = seconds(5)});
  }
  TRY_VOID(check_audit(services));
  return services.limits.admit(caller.user);
}

}  // namespace sluice::gateway
