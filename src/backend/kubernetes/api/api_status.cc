#include "backend/kubernetes/api/api_status.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "http/status.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr std::size_t kMaxMessageBytes = 1024;

ErrorCode code_of(unsigned status) {
  switch (status) {
    case 400:
    case 422: return ErrorCode::InvalidArgument;
    case 403: return ErrorCode::PermissionDenied;
    case 404: return ErrorCode::NotFound;
    case 409:
    case 410:
    case 416: return ErrorCode::Conflict;  // a kubelet's: the file ends before the range
    default: return ErrorCode::Unavailable;
  }
}

/// What a Status object says, or a text that is no JSON (a proxy's); may be empty.
std::string message_of(const std::string& body) {
  const Result<json::value> parsed = json::parse(body);
  std::string_view message = body;
  if (parsed) {
    message = {};
    if (const json::object* object = parsed->if_object()) {
      message = json::find_string(*object, "message").value_or("");
    }
  }
  if (!is_utf8(message)) message = {};
  return std::string(truncate_utf8(message, kMaxMessageBytes));
}

std::optional<seconds> retry_after(const http::FieldMap& fields) {
  const auto number = parse_int64(fields.find("Retry-After").value_or(""));
  if (!number || *number < 0 || *number > 3600) return std::nullopt;
  return seconds(*number);
}

}  // namespace

Error error_of(const http::Response& response) {
  const unsigned status = response.head.status;
  std::string said = message_of(response.body);
  Error error{.code = code_of(status), .retry_after = retry_after(response.head.fields)};
  error.cause = fmt::format("status {} of the API server", status);
  if (status == http::status::kUnauthorized) {
    error.message = "the cluster does not accept the gateway's credentials";
    error.cause += ": " + said;
  } else if (said.empty()) {
    error.message = fmt::format("the cluster's API server answered with status {}", status);
  } else {
    error.message = std::move(said);
  }
  return error;
}

}  // namespace sluice::backend::kubernetes
