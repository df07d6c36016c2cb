// The status codes (RFC 9110 15) that are asked for or answered by name.
#pragma once

namespace sluice::http::status {

inline constexpr unsigned kSwitchingProtocols = 101;
inline constexpr unsigned kOk = 200;
inline constexpr unsigned kPartialContent = 206;
inline constexpr unsigned kUnauthorized = 401;
inline constexpr unsigned kForbidden = 403;
inline constexpr unsigned kNotFound = 404;
inline constexpr unsigned kTooManyRequests = 429;
inline constexpr unsigned kUnavailable = 503;

}  // namespace sluice::http::status
