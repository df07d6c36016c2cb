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
#include "net/stream.h"
#include "net/timers.h"
#include "ws/frame_decoder.h"
#include "ws/frame_encoder.h"
#include "ws/message.h"
#include "ws/output_buffer.h"
#include "ws/permessage_deflate.h"

namespace sluice::ws {

class Connection final {
 public:
  struct Options {
    Role role = Role::Server;
    std::optional<DeflateParameters> compression;  // what was negotiated (RFC 7692)
    std::uint64_t max_message_bytes = kAnySize;    // of a received one, unfolded; beyond: 1009
  };

  /// `leftover`: bytes read behind the handshake.
  Connection(net::Executor executor, std::unique_ptr<net::Stream> stream, Options options,
             net::Timers& timers, Random& random, std::string leftover);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// The next piece of a text or binary message (text is checked to be UTF-8); its payload is valid
  /// until the next receive(). Answers pings on the way. One receive() at a time; beside any of the
  /// others. Errors: InvalidArgument when the peer broke the protocol: close with violation();
  /// Cancelled.
  net::Task<Result<Received>> receive();
  /// The same without the wait: nullopt: nothing more has come yet.
  std::optional<Result<Received>> try_receive();
  /// The Close that a receive() error of InvalidArgument calls for: 1002, 1007 or 1009 and why.
  const Close& violation() const { return violation_; }

  /// Frames a whole message (or a fragment of one) into the output buffer; nothing is written yet.
  /// For many small messages: append them all, then flush() once.
  void append(Opcode opcode, Bytes payload, bool final = true);
  /// Writes the output buffer. Completes when it is in the socket's buffer: awaiting it is the
  /// backpressure, and what else is ready on the loop comes first: a peer that reads as fast as its
  /// source gives doesn't keep it. One flush() or send() at a time; control frames go out in
  /// between.
  /// Errors: Unavailable (peer gone); Cancelled: what is left leaves with the next write; a
  /// message that send() had not queued whole can't be continued, so close() or abort() it.
  net::Task<Result<>> flush();
  /// append() and flush() without the copy where the role allows it.
  net::Task<Result<>> send(Opcode opcode, Bytes payload, bool final = true);

  /// Queues a ping; it leaves with the next write, at once when none is under way.
  void ping();
  /// Whether a write has failed, a ping's included: the peer is gone. For sessions that are not
  /// receiving now, because their target takes no more.
  bool is_lost() const { return lost_; }
  /// When anything was last received, pongs included.
  MonotonicTime last_received() const { return last_received_; }

  /// Sends Close behind what was appended before, then waits at most `patience` for the peer's
  /// Close, and ends the stream. For the end of a session: no other call may be pending. Where a
  /// write has failed, nothing can be sent any more: it aborts.
  net::Task<> close(Close close, nanoseconds patience);
  /// Ends the stream without a Close: the peer sees 1006.
  void abort();

  /// On the stream, headers and control frames included.
  std::uint64_t bytes_received() const { return bytes_received_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  struct Compression;
  class Writing;  // marks that a task is writing, while it lives

  std::optional<Result<Received>> decode();
  std::optional<Result<Received>> inflate();
  Result<Received> violated(Close close);
  std::optional<Result<Received>> read_and_decode(const Result<>& readable);
  Result<> read_input();

  void append_compressed(Opcode opcode, Bytes payload, bool final);
  void append_due_control();
  void write_control();
  Result<std::size_t> try_write(Bytes first, Bytes second = {});
  net::Task<Result<>> wait_writable();
  net::Task<Result<>> write_output();
  net::Task<Result<>> send_direct(Opcode opcode, Bytes payload, bool final);
  net::Task<Result<>> write_frame(Bytes header, Bytes payload);

  net::Task<> exchange_closes(Close close);

  net::Executor executor_;
  std::unique_ptr<net::Stream> stream_;
  net::Timers& timers_;
  Role role_;
  bool writing_ = false;  // a flush() or send() is under way
  bool ping_due_ = false;
  bool pong_due_ = false;
  bool close_received_ = false;
  bool lost_ = false;
  FrameDecoder decoder_;
  FrameEncoder encoder_;
  std::unique_ptr<Compression> compression_;  // none: not negotiated

  // Both are empty, without memory, while the connection is idle.
  PooledBuffer input_memory_;
  MutableBytes input_;  // read and not yet decoded
  OutputBuffer output_;

  std::string pong_;  // answers the latest ping, which answers the earlier ones (RFC 6455 5.5.3)
  Close violation_;
  MonotonicTime last_received_;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
};

inline void Connection::append(Opcode opcode, Bytes payload, bool final) {
  if (compression_) [[unlikely]] {
    append_compressed(opcode, payload, final);
  } else {
    encoder_.append(output_, opcode, payload, final);
  }
}

}  // namespace sluice::ws
