#include "gateway/error_response.h"

#include <utility>

#include <fmt/format.h>

#include "base/json.h"

namespace sluice::gateway {
namespace {

/// A quoted-string of ASCII (RFC 6750 3: error_description has neither '"' nor '\').
std::string quoted_ascii(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const bool allowed = c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
    out += allowed ? c : '\'';
  }
  return out + "\"";
}

std::string challenge(const Error& error) {
  return "Bearer error=\"invalid_token\", error_description=" + quoted_ascii(error.message);
}

void add_fields(http::FieldMap& fields, const Error& error) {
  if (error.code == ErrorCode::MethodNotAllowed) fields.add("Allow", "GET");
  if (error.code == ErrorCode::Unauthenticated) fields.add("WWW-Authenticate", challenge(error));
  if (error.code == ErrorCode::UpgradeRequired) {
    fields.add("Upgrade", "websocket");
    fields.add("Connection", "Upgrade");
    fields.add("Sec-WebSocket-Version", "13");
  }
  const bool retries =
      error.code == ErrorCode::Unavailable || error.code == ErrorCode::TooManySessions;
  if (retries || error.retry_after) {
    const auto after = error.retry_after.value_or(std::chrono::seconds(1));
    fields.add("Retry-After", fmt::format("{}", after.count()));
  }
}

}  // namespace

unsigned status_of(ErrorCode code, MissingWorkload missing) {
  switch (code) {
    case ErrorCode::InvalidArgument: return 400;
    case ErrorCode::Unauthenticated: return 401;
    case ErrorCode::PermissionDenied: return 403;
    case ErrorCode::NotFound: return 404;
    case ErrorCode::WorkloadNotFound: return missing == MissingWorkload::Json404 ? 404 : 500;
    case ErrorCode::MethodNotAllowed: return 405;
    case ErrorCode::UpgradeRequired: return 426;
    case ErrorCode::Conflict: return 409;
    case ErrorCode::TooLarge: return 413;
    case ErrorCode::HeaderTooLarge: return 431;
    case ErrorCode::TooManySessions: return 429;
    case ErrorCode::Unavailable: return 503;
    case ErrorCode::Internal: return 500;
    case ErrorCode::Cancelled: return 503;  // only a shutdown cancels a request
  }
  std::unreachable();
}

http::Response error_response(const Error& error, MissingWorkload missing) {
  http::Response response;
  response.head.status = status_of(error.code, missing);
  add_fields(response.head.fields, error);
  if (error.code == ErrorCode::WorkloadNotFound && missing == MissingWorkload::PlainText500) {
    response.head.fields.add("Content-Type", "text/plain; charset=utf-8");
    response.body = error.message + "\n";
    return response;
  }
  json::object body{{"code", response.head.status}, {"message", error.message}};
  if (!error.details.empty()) body["details"] = error.details;
  response.head.fields.add("Content-Type", "application/json");
  response.body = json::serialize(body);
  return response;
}

}  // namespace sluice::gateway
