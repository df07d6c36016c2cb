#include "base/error.h"

#include <cstring>
#include <utility>

namespace sluice {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument: return "InvalidArgument";
    case ErrorCode::Unauthenticated: return "Unauthenticated";
    case ErrorCode::PermissionDenied: return "PermissionDenied";
    case ErrorCode::NotFound: return "NotFound";
    case ErrorCode::WorkloadNotFound: return "WorkloadNotFound";
    case ErrorCode::MethodNotAllowed: return "MethodNotAllowed";
    case ErrorCode::UpgradeRequired: return "UpgradeRequired";
    case ErrorCode::Conflict: return "Conflict";
    case ErrorCode::TooLarge: return "TooLarge";
    case ErrorCode::HeaderTooLarge: return "HeaderTooLarge";
    case ErrorCode::TooManySessions: return "TooManySessions";
    case ErrorCode::Unavailable: return "Unavailable";
    case ErrorCode::Internal: return "Internal";
    case ErrorCode::Cancelled: return "Cancelled";
  }
  std::unreachable();
}

Error system_error(ErrorCode code, std::string message, std::string_view what, int error_number) {
  char buffer[128];
  const char* text = strerror_r(error_number, buffer, sizeof buffer);
  return Error{code, std::move(message), {}, std::string(what) + ": " + text, {}};
}

Error cancelled() { return Error{ErrorCode::Cancelled, "cancelled", {}, {}, {}}; }

}  // namespace sluice
