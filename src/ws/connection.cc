#include "ws/connection.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "net/deadline.h"
#include "net/yield.h"

namespace sluice::ws {
namespace {

constexpr std::size_t kReadBytes = 128_KiB;
// A read so small moves to memory of its own size, so that a session that is slow to take it (a
// shell that does not read its input) does not hold a large buffer.
constexpr std::size_t kSmallReadBytes = 4_KiB;
// From here on, writing header and payload from two places beats copying them into one.
constexpr std::size_t kDirectBytes = 16_KiB;
constexpr std::size_t kInflateBytes = 64_KiB;

FrameDecoder make_decoder(const Connection::Options& options) {
  return FrameDecoder(
      options.role,
      options.compression ? FrameDecoder::Compression::Negotiated : FrameDecoder::Compression::None,
      options.max_message_bytes);
}

}  // namespace

/// Both directions of permessage-deflate, and the compressed piece that is being unfolded.
struct Connection::Compression {
  Compression(const Options& options, const DeflateParameters& agreed)
      : deflater(options.role == Role::Server ? agreed.server : agreed.client),
        inflater(options.role == Role::Server ? agreed.client : agreed.server),
        max_message_bytes(options.max_message_bytes) {}

  Deflater deflater;
  Inflater inflater;
  Utf8Validator text;
  DataPiece source;        // what is left of it
  bool unfolding = false;  // `source` is not used up
  bool starts_message = true;
  const std::uint64_t max_message_bytes;
  std::uint64_t message_bytes = 0;  // unfolded so far
  PooledBuffer room;
};

class Connection::Writing {
 public:
  explicit Writing(Connection& connection) : connection_(connection) {
    assert(!connection.writing_);
    connection.writing_ = true;
  }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;
  ~Writing() { connection_.writing_ = false; }

 private:
  Connection& connection_;
};

Connection::Connection(net::Executor executor, std::unique_ptr<net::Stream> stream, Options options,
                       net::Timers& timers, Random& random, std::string leftover)
    : executor_(executor),
      stream_(std::move(stream)),
      timers_(timers),
      role_(options.role),
      decoder_(make_decoder(options)),
      encoder_(options.role, random),
      last_received_(timers.now()),
      bytes_received_(leftover.size()) {
  if (options.compression) {
    compression_ = std::make_unique<Compression>(options, *options.compression);
  }
  if (leftover.empty()) return;
  input_memory_ = PooledBuffer::take(leftover.size());
  input_ = {input_memory_.data(), leftover.size()};
  std::ranges::copy(as_bytes(leftover), input_.begin());
}

Connection::~Connection() = default;

net::Task<Result<Received>> Connection::receive() {
  // An idle session waits here, so this is kept small: one frame, and what follows is plain calls.
  std::optional<Result<Received>> received = decode();
  while (!received) {
    const Result<> readable = co_await stream_->readable();
    received = read_and_decode(readable);
  }
  co_return *std::move(received);
}

std::optional<Result<Received>> Connection::try_receive() {
  if (auto received = decode()) return received;
  return read_and_decode({});
}

/// nullopt: more must come first. `readable`: what waiting for it came to.
std::optional<Result<Received>> Connection::read_and_decode(const Result<>& readable) {
  const Result<> read = readable ? read_input() : readable;
  if (read) return decode();
  if (read.error().code == ErrorCode::Cancelled) return fail(read.error());
  return Received(Close{CloseCode::Abnormal, read.error().message});
}

/// What the input holds; nullopt: it is used up, and its memory given back.
std::optional<Result<Received>> Connection::decode() {
  while (true) {
    if (compression_ && compression_->unfolding) {
      if (auto received = inflate()) return received;
      continue;
    }
    FrameEvent event = decoder_.feed(input_);
    if (auto* data = std::get_if<DataPiece>(&event)) {
      if (!data->compressed) return Received(data->piece);
      compression_->source = *data;
      compression_->unfolding = true;
      if (data->piece.starts_message) compression_->starts_message = true;
    } else if (const auto* ping_frame = std::get_if<Ping>(&event)) {
      pong_ = as_text(ping_frame->payload);
      pong_due_ = true;
      write_control();
    } else if (auto* close = std::get_if<Close>(&event)) {
      close_received_ = true;
      return Received(std::move(*close));
    } else if (auto* violation = std::get_if<Violation>(&event)) {
      return violated(std::move(violation->close));
    } else if (std::holds_alternative<NeedsInput>(event)) {
      input_memory_ = {};
      if (compression_) compression_->room = {};
      return std::nullopt;
    }
  }
}

/// The next part of a compressed piece; nullopt: it is used up and gave nothing (more).
std::optional<Result<Received>> Connection::inflate() {
  Compression& state = *compression_;
  MessagePiece& source = state.source.piece;
  if (state.room.size() == 0) state.room = PooledBuffer::take(kInflateBytes);
  const MutableBytes room(state.room.data(), kInflateBytes);
  const auto step = state.inflater.decompress(source.payload, source.ends_message, room);
  if (!step) return violated({CloseCode::InvalidPayload, step.error().message});
  source.payload = source.payload.subspan(step->consumed);
  state.unfolding = step->more;
  const bool ends = source.ends_message && !step->more;
  const MutableBytes bytes = room.first(step->produced);
  state.message_bytes = state.starts_message ? bytes.size() : state.message_bytes + bytes.size();
  if (state.message_bytes > state.max_message_bytes) {
    return violated(message_too_big(state.max_message_bytes).close);
  }
  if (source.opcode == Opcode::Text &&
      (!state.text.feed(bytes) || (ends && !state.text.finish()))) {
    return violated({CloseCode::InvalidPayload, "text is not UTF-8"});
  }
  if (bytes.empty() && !ends) return std::nullopt;
  const bool starts = std::exchange(state.starts_message, false);
  return Received(MessagePiece{bytes, starts, ends, source.opcode});
}

Result<Received> Connection::violated(Close close) {
  if (compression_) compression_->unfolding = false;
  decoder_.end();
  violation_ = std::move(close);
  return fail(ErrorCode::InvalidArgument, violation_.reason);
}

/// Reads what the stream has now, be it nothing. Errors: Unavailable: it has ended or broken.
Result<> Connection::read_input() {
  PooledBuffer memory = PooledBuffer::take(kReadBytes);
  TRY(const std::optional<std::size_t> count, stream_->try_read({memory.data(), kReadBytes}));
  if (!count) return {};
  if (*count == 0) return fail(ErrorCode::Unavailable, "connection closed");
  bytes_received_ += *count;
  last_received_ = timers_.now();
  input_memory_ = std::move(memory);
  if (*count <= kSmallReadBytes) {
    PooledBuffer small = PooledBuffer::take(*count);
    std::copy_n(input_memory_.data(), *count, small.data());
    input_memory_ = std::move(small);
  }
  input_ = {input_memory_.data(), *count};
  return {};
}

void Connection::append_compressed(Opcode opcode, Bytes payload, bool final) {
  OutputBuffer compressed;
  compression_->deflater.compress(payload, final, compressed);
  encoder_.append(output_, opcode, compressed.pending(), final,
                  opcode == Opcode::Continuation ? Compressed::No : Compressed::Yes);
}

net::Task<Result<>> Connection::flush() {
  {
    const Writing mark(*this);
    CO_TRY_VOID(co_await write_output());
  }
  co_return co_await net::yield();
}

net::Task<Result<>> Connection::send(Opcode opcode, Bytes payload, bool final) {
  if (role_ == Role::Server && !compression_ && payload.size() >= kDirectBytes) {
    CO_TRY_VOID(co_await send_direct(opcode, payload, final));
    co_return co_await net::yield();
  }
  append(opcode, payload, final);
  co_return co_await flush();
}

/// Writes what is pending and then the control frames that came due meanwhile.
net::Task<Result<>> Connection::write_output() {
  while (true) {
    if (output_.empty()) append_due_control();
    if (output_.empty()) co_return Result<>{};
    CO_TRY(const std::size_t count, try_write(output_.pending()));
    output_.consume(count);
    if (count > 0) continue;
    output_.shrink();
    CO_TRY_VOID(co_await wait_writable());
  }
}

net::Task<Result<>> Connection::send_direct(Opcode opcode, Bytes payload, bool final) {
  const Writing mark(*this);
  CO_TRY_VOID(co_await write_output());
  std::array<std::byte, kMaxHeaderBytes> header;
  do {
    const Bytes part = payload.first(std::min(payload.size(), kMaxFrameBytes));
    payload = payload.subspan(part.size());
    const std::size_t size =
        FrameEncoder::write_header(header.data(), opcode, part.size(), final && payload.empty());
    opcode = Opcode::Continuation;
    CO_TRY_VOID(co_await write_frame(Bytes(header).first(size), part));
    CO_TRY_VOID(co_await write_output());
  } while (!payload.empty());
  co_return Result<>{};
}

net::Task<Result<>> Connection::write_frame(Bytes header, Bytes payload) {
  while (!header.empty() || !payload.empty()) {
    CO_TRY(const std::size_t count, try_write(header, payload));
    const std::size_t of_header = std::min(count, header.size());
    header = header.subspan(of_header);
    payload = payload.subspan(count - of_header);
    if (count > 0) continue;
    const Result<> writable = co_await wait_writable();
    if (writable) continue;
    // The payload is the caller's, who takes it back now; half a frame would leave no way to say
    // why the session ends.
    output_.append(header);
    output_.append(payload);
    co_return fail(writable.error());
  }
  co_return Result<>{};
}

Result<std::size_t> Connection::try_write(Bytes first, Bytes second) {
  Result<std::size_t> count = stream_->try_write_both(first, second);
  if (!count) lost_ = true;
  if (count) bytes_sent_ += *count;
  return count;
}

net::Task<Result<>> Connection::wait_writable() {
  Result<> writable = co_await stream_->writable();
  if (!writable && writable.error().code != ErrorCode::Cancelled) lost_ = true;
  co_return writable;
}

void Connection::ping() {
  ping_due_ = true;
  write_control();
}

void Connection::append_due_control() {
  if (std::exchange(pong_due_, false)) {
    encoder_.append(output_, Opcode::Pong, as_bytes(pong_), true);
    pong_ = {};
  }
  if (std::exchange(ping_due_, false)) encoder_.append(output_, Opcode::Ping, {}, true);
}

/// Without a writer under way, control frames leave here, as far as the socket takes them at once;
/// the rest leaves with the next write.
void Connection::write_control() {
  if (writing_) return;
  while (true) {
    if (output_.empty()) append_due_control();
    if (output_.empty()) return;
    const Result<std::size_t> count = try_write(output_.pending());
    if (!count || *count == 0) return;  // an error shows itself to the next reader or writer
    output_.consume(*count);
  }
}

net::Task<> Connection::close(Close close, nanoseconds patience) {
  if (lost_) {
    stream_->abort();
    co_return;
  }
  net::Deadline deadline(executor_, timers_, timers_.now() + patience, [this] {
    // A peer that never took our last bytes must not take what it has for the whole.
    output_.empty() ? stream_->close() : stream_->abort();
  });
  co_await exchange_closes(std::move(close));
  (void)co_await deadline.end();
  stream_->close();
}

net::Task<> Connection::exchange_closes(Close close) {
  const bool broken = violation_ != Close{};
  pong_due_ = ping_due_ = false;
  encoder_.append_close(output_, close);
  const Result<> sent = co_await flush();
  if (!sent) co_return;
  // A peer that broke the protocol can't be understood any more: it is told the end, and drained so
  // that a reset does not overtake our Close.
  if (broken || role_ == Role::Client) {
    if (broken) stream_->shutdown_write();
    while (true) {
      const Result<> readable = co_await stream_->readable();
      if (!readable || !read_input()) co_return;
    }
  }
  while (!close_received_) {
    const Result<Received> received = co_await receive();
    if (!received) co_return;
    if (std::holds_alternative<Close>(*received)) co_return;
  }
}

void Connection::abort() { stream_->abort(); }

}  // namespace sluice::ws
