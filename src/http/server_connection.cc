#include "http/server_connection.h"

#include <array>

#include "net/deadline.h"

namespace sluice::http {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;

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

}  // namespace

ServerConnection::ServerConnection(std::unique_ptr<net::Stream> stream, net::Timers& timers,
                                   ServerLimits limits)
    : stream_(std::move(stream)), timers_(timers), limits_(limits) {}

net::Task<Result<std::optional<RequestHead>>> ServerConnection::read_head() {
  RequestParser parser(limits_.head_bytes, limits_.body_bytes);
  if (buffer_.empty()) {
    CO_TRY(const bool more, co_await fill_before(timers_.now() + limits_.keep_alive_timeout));
    if (!more) co_return std::nullopt;
  }
  const MonotonicTime deadline = timers_.now() + limits_.head_timeout;
  while (true) {
    CO_TRY(const std::size_t taken, parser.feed(buffer_));
    buffer_.erase(0, taken);
    if (parser.complete()) break;
    CO_TRY_VOID(co_await continue_if_expected(parser));
    CO_TRY(const bool more, co_await fill_before(deadline));
    if (!more) co_return fail(ErrorCode::Unavailable, "the request was cut short");
  }
  if (buffer_.empty()) buffer_.shrink_to_fit();
  RequestHead head = parser.take_head();
  minor_version_ = head.minor_version;
  co_return head;
}

net::Task<Result<>> ServerConnection::continue_if_expected(const RequestParser& parser) {
  // Sent again with each piece of a slow body, which a client has to put up with (RFC 9110 15.2).
  if (!parser.head_complete() || !parser.expects_continue() || !buffer_.empty()) {
    co_return Result<>{};
  }
  co_return co_await stream_->write(as_bytes("HTTP/1.1 100 Continue\r\n\r\n"));
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
  std::string text = "HTTP/1.1 " + std::to_string(head.status) + " ";
  text += reason_phrase(head.status);
  text += "\r\n";
  for (const Field& field : head.fields) text += field.name + ": " + field.value + "\r\n";
  text += "Date: " + http_date(timers_.wall_now()) + "\r\n";
  if (!keep_alive) text += "Connection: close\r\n";
  return text;
}

net::Task<Result<>> ServerConnection::respond(const Response& response, bool keep_alive) {
  std::string text = head_text(response.head, keep_alive);
  text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n\r\n";
  text += response.body;
  co_return co_await stream_->write(as_bytes(text));
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
  CO_TRY_VOID(co_await stream_->write(as_bytes({size, static_cast<std::size_t>(length)})));
  CO_TRY_VOID(co_await stream_->write(bytes));
  co_return co_await stream_->write(as_bytes("\r\n"));
}

net::Task<Result<>> ServerConnection::finish_chunks() {
  if (!chunked_) co_return Result<>{};
  co_return co_await stream_->write(as_bytes("0\r\n\r\n"));
}

net::Task<Result<Upgraded>> ServerConnection::upgrade(const ResponseHead& head) {
  std::string text = "HTTP/1.1 " + std::to_string(head.status) + " ";
  text += reason_phrase(head.status);
  text += "\r\n";
  for (const Field& field : head.fields) text += field.name + ": " + field.value + "\r\n";
  text += "\r\n";
  CO_TRY_VOID(co_await stream_->write(as_bytes(text)));
  Upgraded upgraded{std::move(stream_), std::move(buffer_)};
  co_return upgraded;
}

}  // namespace sluice::http
