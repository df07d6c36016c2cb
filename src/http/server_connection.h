// One HTTP/1.1 connection, server side: reads request heads, writes responses, or gives the stream away to
// an upgrade. The parser is Boost.Beast's, in request_parser.cc only.
#pragma once

#include <memory>
#include <string>

#include "http/message.h"
#include "net/stream.h"
#include "net/timers.h"

namespace sluice::http {

struct ServerLimits {
  std::size_t head_bytes = 64 * 1024;       // beyond: 431
  std::size_t body_bytes = 64 * 1024;       // read and dropped; beyond: 413
  nanoseconds head_timeout = seconds(10);   // from its first byte, and for the first head of a connection
  nanoseconds keep_alive_timeout = seconds(60);
};

/// A stream given away, with what was read behind the head.
struct Upgraded {
  std::unique_ptr<net::Stream> stream;
  std::string leftover;
};

class ServerConnection {
 public:
  ServerConnection(std::unique_ptr<net::Stream> stream, net::Timers& timers, ServerLimits limits);

  /// The next request's head; its body, if any, is read and dropped first. nullopt: the peer is done (or
  /// too slow to begin). Errors are to be answered and the connection closed: InvalidArgument (400),
  /// HeaderTooLarge (431), TooLarge (413), Unavailable (gone or timed out: no answer).
  net::Task<Result<std::optional<RequestHead>>> read_head();

  /// Sends a whole response. `keep_alive` false adds Connection: close.
  net::Task<Result<>> respond(const Response& response, bool keep_alive);

  /// A chunked response (RFC 9112 7.1), piece by piece. Without finish_chunks() the peer sees a failure.
  net::Task<Result<>> start_chunks(const ResponseHead& head, bool keep_alive);
  net::Task<Result<>> write_chunk(Bytes bytes);
  net::Task<Result<>> finish_chunks();

  /// Sends 101 with these fields and gives the stream away; only destruction may follow.
  net::Task<Result<Upgraded>> upgrade(const ResponseHead& head);

  /// Waits for the peer to go away or send something while a response is being produced.
  net::Stream& stream();
  void abort();

 private:
  // The private part is the implementer's.
};

}  // namespace sluice::http
