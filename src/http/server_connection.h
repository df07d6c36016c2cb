// One HTTP/1.1 connection, server side: reads request heads, writes responses, or gives the stream
// away to an upgrade. An idle one holds no buffer. Parsing is request_parser.h's.
#pragma once

#include <memory>
#include <string>

#include "http/message.h"
#include "http/upgraded.h"
#include "net/timers.h"

namespace sluice::http {

struct ServerLimits {
  std::size_t head_bytes = 64 * 1024;            // beyond: 431
  std::size_t body_bytes = 64 * 1024;            // read and dropped; beyond: 413
  nanoseconds head_timeout = seconds(10);        // for a request, from its first byte
  nanoseconds greeting_timeout = seconds(10);    // for that first byte, on a new connection
  nanoseconds keep_alive_timeout = seconds(60);  // for that first byte, after another request
};

class ServerConnection {
 public:
  ServerConnection(std::unique_ptr<net::Stream> stream, net::Timers& timers, ServerLimits limits);

  /// The next request's head, after its body, if any, was read and dropped. nullopt: the peer is
  /// done, or too slow to begin. Errors are to be answered and the connection closed:
  /// InvalidArgument (400), HeaderTooLarge (431), TooLarge (413); Unavailable: gone or too slow,
  /// not to be answered.
  net::Task<Result<std::optional<RequestHead>>> read_head();

  /// Sends a whole response, to HEAD without its body. `keep_alive` false adds Connection: close.
  /// After a read_head() that failed, it also waits, for at most 2 s, until the client has seen the
  /// answer.
  net::Task<Result<>> respond(const Response& response, bool keep_alive);

  /// A response of unknown length, piece by piece (RFC 9112 7.1); for HTTP/1.0, to the end of the
  /// connection, after which read_head() says that the peer is done. Without finish_chunks(),
  /// abort(): the peer must see a failure.
  net::Task<Result<>> start_chunks(const ResponseHead& head, bool keep_alive);
  net::Task<Result<>> write_chunk(Bytes bytes);
  net::Task<Result<>> finish_chunks();

  /// Sends 101 with these fields and gives the stream away; only destruction may follow.
  net::Task<Result<Upgraded>> upgrade(const ResponseHead& head);

  /// Completes when the peer has ended its direction, is gone, or sends more than a head may have;
  /// what it sends is kept for read_head(). For while a response is being produced. Errors:
  /// Cancelled.
  net::Task<Result<>> peer_ended();
  net::Stream& stream() { return *stream_; }
  void abort() { stream_->abort(); }

 private:
  /// Adds what has come to buffer_. False at the end of the stream.
  Result<std::optional<bool>> try_fill();
  net::Task<Result<bool>> fill();
  net::Task<Result<bool>> fill_before(MonotonicTime deadline);
  net::Task<Result<RequestHead>> read_request(MonotonicTime deadline);
  Result<std::optional<std::size_t>> try_drop();
  net::Task<> linger();
  std::string head_text(const ResponseHead& head, bool keep_alive) const;

  std::unique_ptr<net::Stream> stream_;
  net::Timers& timers_;
  ServerLimits limits_;
  std::string buffer_;  // read, not yet parsed
  bool chunked_ = false;
  bool refused_ = false;  // the last request was not read to its end
  bool ended_ = false;    // our direction is shut
  bool is_new_ = true;    // no request has come yet
  int minor_version_ = 1;
  bool wants_body_ = true;  // false: the last request was a HEAD (RFC 9110 9.3.2)
};

}  // namespace sluice::http
