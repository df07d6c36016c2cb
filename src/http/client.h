// A small HTTP/1.1 client: one GET, one connection, the whole body in memory. For keys and
// discovery documents; not for streams.
#pragma once

#include <memory>
#include <string>

#include "http/message.h"
#include "net/timers.h"
#include "net/tls_context.h"

namespace sluice::http {

struct ClientOptions {
  std::shared_ptr<const net::TlsContext> tls;  // for https; absent: https is refused
  FieldMap fields;                             // besides Host, Accept and Connection
  std::size_t body_limit_bytes = 1024 * 1024;
  nanoseconds timeout = seconds(10);  // for all of it, the connection included
};

/// Gets `url` (http or https). Any status is a success here; redirects are not followed.
/// Errors: InvalidArgument (the URL); Unavailable (no connection, time-out, malformed or too
/// large).
net::Task<Result<Response>> get(std::string url, ClientOptions options, net::Timers& timers);

}  // namespace sluice::http
