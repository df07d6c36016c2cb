#include "http/server_connection.h"

#include <array>

#include "http/request_parser.h"
#include "net/current_executor.h"
#include "net/deadline.h"

namespace sluice::http {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;
/// A chunk up to this size goes out with its frame in one write; copying a larger one costs more.
constexpr std::size_t kCopiedChunkBytes = 16 * 1024;
/// How long, and how much, a refused client may go on sending before the connection is closed.
constexpr seconds kLingerTime(2);
constexpr std::size_t kLingerBytes = 16_MiB;

/// "Tue, 24 Nov 2026 03:04:05 GMT" (RFC 9110 5.6.7).
std::string http_date(WallTime time) {
  const std::time_t now = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

std::string status_and_fields(const ResponseHead& head) {
  std::string text = "HTTP/1.1 " + std::to_string(head.status) + " ";
  text += reason_phrase(head.status);
  text += "\r\n";
  for (const Field& field : head.fields) append_field(text, field.name, field.value);
  return text;
}

}  // namespace

ServerConnection::ServerConnection(std::unique_ptr<net::Stream> stream, net::Timers& timers,
                                   ServerLimits limits)
    : stream_(std::move(stream)), timers_(timers), limits_(limits) {}

net::Task<Result<std::optional<RequestHead>>> ServerConnection::read_head() {
  if (ended_) co_return std::nullopt;
  if (buffer_.empty()) {
    const nanoseconds patience = is_new_ ? limits_.greeting_timeout : limits_.keep_alive_timeout;
    CO_TRY(const bool more, co_await fill_before(timers_.now() + patience));
    if (!more) co_return std::nullopt;
  }
  is_new_ = false;
  wants_body_ = true;
  const MonotonicTime deadline = timers_.now() + limits_.head_timeout;
  Result<RequestHead> head = co_await read_request(deadline);
  refused_ = !head;
  CO_TRY(RequestHead whole, std::move(head));
  minor_version_ = whole.minor_version;
  wants_body_ = whole.method != "HEAD";
  co_return whole;
}

net::Task<Result<RequestHead>> ServerConnection::read_request(MonotonicTime deadline) {
  RequestParser parser(limits_.head_bytes, limits_.body_bytes);
  bool continued = false;
  while (true) {
    CO_TRY(const std::size_t taken, parser.feed(buffer_));
    buffer_.erase(0, taken);
    if (parser.complete()) break;
    if (!continued && buffer_.empty() && parser.head_complete() && parser.expects_continue()) {
      continued = true;
      CO_TRY_VOID(co_await stream_->write(as_bytes("HTTP/1.1 100 Continue\r\n\r\n")));
    }
    CO_TRY(const bool more, co_await fill_before(deadline));
    if (!more) co_return fail(ErrorCode::Unavailable, "the request was cut short");
  }
  if (buffer_.empty()) buffer_.shrink_to_fit();
  co_return parser.take_head();
}

Result<std::optional<bool>> ServerConnection::try_fill() {
  std::array<std::byte, kReadBytes> block;
  TRY(const std::optional<std::size_t> count, stream_->try_read(block));
  if (!count) return std::nullopt;
  buffer_ += as_text(Bytes(block).first(*count));
  return *count > 0;
}

net::Task<Result<bool>> ServerConnection::fill() {
  while (true) {
    CO_TRY(const std::optional<bool> more, try_fill());
    if (more) co_return *more;
    CO_TRY_VOID(co_await stream_->readable());
  }
}

net::Task<Result<>> ServerConnection::peer_ended() {
  while (buffer_.size() <= limits_.head_bytes) {
    const Result<bool> more = co_await fill();
    if (!more && more.error().code == ErrorCode::Cancelled) co_return fail(more.error());
    if (!more || !*more) break;
  }
  co_return Result<>{};
}

net::Task<Result<bool>> ServerConnection::fill_before(MonotonicTime at) {
  // Most requests are there when they are looked for: those need no timer.
  CO_TRY(const std::optional<bool> more, try_fill());
  if (more) co_return *more;
  const net::Executor executor = co_await net::current_executor();
  net::Deadline deadline(executor, timers_, at, [this] { stream_->close(); });
  Result<bool> filled = co_await fill();
  const bool expired = co_await deadline.end();
  if (expired && buffer_.empty()) co_return false;
  if (expired) co_return fail(ErrorCode::Unavailable, "the request took too long to arrive");
  co_return filled;
}

std::string ServerConnection::head_text(const ResponseHead& head, bool keep_alive) const {
  std::string text = status_and_fields(head);
  text += "Date: " + http_date(timers_.wall_now()) + "\r\n";
  if (!keep_alive) {
    text += "Connection: close\r\n";
  } else if (minor_version_ == 0) {
    text += "Connection: keep-alive\r\n";  // HTTP/1.0 closes unless told (RFC 9112 C.2.2)
  }
  return text;
}

net::Task<Result<>> ServerConnection::respond(const Response& response, bool keep_alive) {
  std::string text = head_text(response.head, keep_alive);
  text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n\r\n";
  if (wants_body_) text += response.body;  // its length is told all the same (RFC 9110 8.6)
  CO_TRY_VOID(co_await stream_->write(as_bytes(text)));
  if (refused_) co_await linger();
  co_return Result<>{};
}

net::Task<> ServerConnection::linger() {
  // Closing a socket with unread bytes resets it, which can take the answer away from the client
  // (RFC 9112 9.6): the rest of its request is read and dropped, for a while.
  ended_ = true;
  stream_->shutdown_write();
  const net::Executor executor = co_await net::current_executor();
  net::Deadline deadline(executor, timers_, timers_.now() + kLingerTime,
                         [this] { stream_->close(); });
  for (std::size_t dropped = 0; dropped < kLingerBytes;) {
    const Result<std::optional<std::size_t>> count = try_drop();
    if (!count || *count == 0) break;
    dropped += count->value_or(0);
    if (*count) continue;
    const Result<> ready = co_await stream_->readable();
    if (!ready) break;
  }
  (void)co_await deadline.end();
}

Result<std::optional<std::size_t>> ServerConnection::try_drop() {
  std::array<std::byte, kReadBytes> block;
  return stream_->try_read(block);
}

net::Task<Result<>> ServerConnection::start_chunks(const ResponseHead& head, bool keep_alive) {
  chunked_ = minor_version_ >= 1;
  std::string text = head_text(head, keep_alive && chunked_);
  text += chunked_ ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n";
  co_return co_await stream_->write(as_bytes(text));
}

net::Task<Result<>> ServerConnection::write_chunk(Bytes bytes) {
  if (bytes.empty()) co_return Result<>{};  // an empty chunk would end the body
  if (!chunked_) co_return co_await stream_->write(bytes);
  char size[20];
  const int length = std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  std::string frame(size, static_cast<std::size_t>(length));
  if (bytes.size() <= kCopiedChunkBytes) {
    frame += as_text(bytes);
    frame += "\r\n";
    co_return co_await stream_->write(as_bytes(frame));
  }
  CO_TRY_VOID(co_await stream_->write(as_bytes(frame)));
  CO_TRY_VOID(co_await stream_->write(bytes));
  co_return co_await stream_->write(as_bytes("\r\n"));
}

net::Task<Result<>> ServerConnection::finish_chunks() {
  if (chunked_) co_return co_await stream_->write(as_bytes("0\r\n\r\n"));
  ended_ = true;
  stream_->shutdown_write();
  co_return Result<>{};
}

net::Task<Result<Upgraded>> ServerConnection::upgrade(const ResponseHead& head) {
  const std::string text = status_and_fields(head) + "\r\n";
  CO_TRY_VOID(co_await stream_->write(as_bytes(text)));
  Upgraded upgraded{std::move(stream_), std::move(buffer_)};
  co_return upgraded;
}

}  // namespace sluice::http
