// What went wrong, as a value. Every fallible function of sluice returns Result<T> (result.h),
// whose error is an Error: a code that the edge turns into a status or close code, and a message
// for the person who gets it. Not for logging context: that is the cause chain, which never leaves
// the server.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// The kinds of failure, named as in RFC 9110 and the contract's error table. The mapping to a
/// status code is gateway/error_response.cc, a switch without default: a new value must be mapped.
enum class ErrorCode {
  InvalidArgument,   // 400
  Unauthenticated,   // 401
  PermissionDenied,  // 403
  NotFound,          // 404: project, pod or container
  WorkloadNotFound,  // 500 or 404, by compat.missingWorkload
  MethodNotAllowed,  // 405
  UpgradeRequired,   // 426
  Conflict,          // 409: the target's state forbids it
  TooLarge,          // 413
  HeaderTooLarge,    // 431
  TooManySessions,   // 429
  Unavailable,       // 503: the cluster, the peer, or ourselves
  Internal,          // 500
  Cancelled,         // the waiting task was cancelled; never shown to a peer
};

/// The enumerator's name, for logs and metric labels.
std::string_view to_string(ErrorCode code);

/// A failure. `message` and `details` may be shown to whoever made the request: they say what was
/// wrong and what would be right, and never contain a secret, a server path or a stack.
struct Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;
  std::string details;                              // optional second sentence for the client
  std::string cause;                                // for the log only
  std::optional<std::chrono::seconds> retry_after;  // becomes a Retry-After header

  bool operator==(const Error&) const = default;
};

/// An Internal-class error out of an errno value: "<what>: <strerror>" goes to `cause`, never to a
/// peer.
Error system_error(ErrorCode code, std::string message, std::string_view what, int error_number);

/// The error of a wait that was cancelled (rule: cancel() then join(); nothing else is done with
/// it).
Error cancelled();

}  // namespace sluice
