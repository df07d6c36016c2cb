// How the program ends: what scripts may rely on (docs/user/cli.md lists it).
#pragma once

#include "base/error.h"

namespace sluice::cli {

inline constexpr int kSuccess = 0;
inline constexpr int kRemoteFailure = 1;   // the server or the workload refused or failed
inline constexpr int kUsage = 2;           // the command line, the configuration, a bad value
inline constexpr int kAuthentication = 3;  // no valid token, or not allowed
inline constexpr int kNotFound = 4;        // no such project, workload, pod or container
inline constexpr int kConnection = 5;      // the server can't be reached, or was lost
inline constexpr int kSignalBase = 128;    // ended by a signal: 128 + its number

/// exec and attach end as their command did instead, where that is known.
constexpr int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
    case ErrorCode::MethodNotAllowed:
    case ErrorCode::UpgradeRequired:
    case ErrorCode::TooLarge:
    case ErrorCode::HeaderTooLarge: return kUsage;
    case ErrorCode::Unauthenticated:
    case ErrorCode::PermissionDenied: return kAuthentication;
    case ErrorCode::NotFound:
    case ErrorCode::WorkloadNotFound: return kNotFound;
    case ErrorCode::Unavailable: return kConnection;
    case ErrorCode::Conflict:
    case ErrorCode::TooManySessions:
    case ErrorCode::Internal:
    case ErrorCode::Cancelled: return kRemoteFailure;
  }
  return kRemoteFailure;
}

}  // namespace sluice::cli
