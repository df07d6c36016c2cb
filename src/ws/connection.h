// Connection: one WebSocket over a Stream, server or client side: RFC 6455 after the handshake. It
// answers pings, measures silence, batches output and keeps the closing rules; what the messages
// mean is for the layers above. The bytes are framed and parsed by frame_encoder.h and
// frame_decoder.h, without I/O.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/random.h"
#include "net/event.h"
#include "net/stream.h"
#include "net/timers.h"
#include "ws/message.h"
#include "ws/permessage_deflate.h"

namespace sluice::ws {

class Connection final {
 public:
  struct Options {
    Role role = Role::Server;
    std::optional<DeflateParameters> compression;  // what was negotiated (RFC 7692)
  };

  /// `leftover`: bytes read behind the handshake.
  Connection(net::Executor executor, std::unique_ptr<net::Stream> stream, Options options,
             net::Timers& timers, Random& random, std::string leftover);
  ~Connection();

  /// The next piece of a text or binary message (text is checked to be UTF-8); its payload is valid
  /// until the next receive(). Answers pings on the way. One receive() at a time; beside any of the
  /// others. Errors: InvalidArgument when the peer broke the protocol: close with violation();
  /// Cancelled.
  net::Task<Result<Received>> receive();
  /// The Close that a receive() error of InvalidArgument calls for: 1002, 1007 or 1009 and why.
  const Close& violation() const;

  /// Frames a whole message (or a fragment of one) into the output buffer; nothing is written yet.
  /// For many small messages: append them all, then flush() once.
  void append(Opcode opcode, Bytes payload, bool final = true);
  /// Writes the output buffer. Completes when it is in the socket's buffer: awaiting it is the
  /// backpressure. One flush() or send() at a time; control frames go out in between.
  /// Errors: Unavailable (peer gone); Cancelled, after which only abort() is left.
  net::Task<Result<>> flush();
  /// append() and flush() without the copy where the role allows it.
  net::Task<Result<>> send(Opcode opcode, Bytes payload, bool final = true);

  /// Queues a ping; it leaves with the next write, at once when none is under way.
  void ping();
  /// Whether a write has failed, a ping's included: the peer is gone. For sessions that are not
  /// receiving now, because their target takes no more.
  bool is_lost() const;
  /// When anything was last received, pongs included.
  MonotonicTime last_received() const;

  /// Sends Close behind what was appended before, then waits at most `patience` for the peer's
  /// Close, and ends the stream. For the end of a session: no other call may be pending. Where a
  /// write was cancelled or has failed, nothing can be sent any more: it aborts.
  net::Task<> close(Close close, nanoseconds patience);
  /// Ends the stream without a Close: the peer sees 1006.
  void abort();

  std::uint64_t bytes_received() const;
  std::uint64_t bytes_sent() const;

 private:
  // The private part is the implementer's.
};

}  // namespace sluice::ws
