#include "http/client_connection.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "http/status.h"

namespace sluice::http {
namespace {

// The parser refuses an element that fills it, so there is always room for more.
constexpr std::size_t kBlockBytes = ResponseParser::kMaxElementBytes;

std::string request_text(const ClientRequest& request) {
  std::string text = request.method + " " + request.target + " HTTP/1.1\r\n";
  for (const Field& field : request.fields) append_field(text, field.name, field.value);
  if (!request.body.empty()) {
    append_field(text, "Content-Length", std::to_string(request.body.size()));
  }
  return text + "\r\n" + request.body;
}

}  // namespace

ClientConnection::ClientConnection(std::unique_ptr<net::Stream> stream)
    : stream_(std::move(stream)) {}

net::Task<Result<ResponseHead>> ClientConnection::send(ClientRequest request) {
  assert(!parser_ || parser_->complete());
  answered_ = false;
  starved_ = false;
  parser_.emplace();
  const std::string text = request_text(request);
  const Result<> written = co_await stream_->write(as_bytes(text));
  if (!written && written.error().code == ErrorCode::Cancelled) co_return fail(written.error());
  // A server may answer and close without having read it all: what it said counts.
  Result<ResponseHead> head = co_await read_head();
  if (!head && !written) head = fail(written.error());
  co_return head;
}

net::Task<Result<ResponseHead>> ClientConnection::read_head() {
  while (true) {
    while (!parser_->head_complete()) {
      CO_TRY(const bool moved, parse());
      if (moved) continue;
      CO_TRY_VOID(co_await fill());
    }
    ResponseHead head = parser_->take_head();
    if (head.status / 100 != 1 || head.status == status::kSwitchingProtocols) co_return head;
    parser_.emplace();
  }
}

net::Task<Result<Bytes>> ClientConnection::read_body() {
  while (true) {
    CO_TRY(const Bytes received, try_read_body());
    if (!received.empty() || parser_->complete()) co_return received;
    CO_TRY_VOID(co_await fill());
  }
}

Result<Bytes> ClientConnection::try_read_body() {
  while (!parser_->complete()) {
    TRY(const bool moved, parse());
    if (!parser_->body().empty()) return as_bytes(parser_->body());
    if (!moved) break;
  }
  return Bytes();
}

net::Task<Result<std::string>> ClientConnection::read_whole_body(std::size_t limit_bytes) {
  std::string body;
  while (true) {
    CO_TRY(const Bytes piece, co_await read_body());
    if (piece.empty()) co_return body;
    if (piece.size() > limit_bytes - body.size()) {
      co_return fail(ErrorCode::Unavailable,
                     "the response is larger than " + std::to_string(limit_bytes) + " bytes");
    }
    body += as_text(piece);
  }
}

/// Lets the parser go on; whether it could.
Result<bool> ClientConnection::parse() {
  const Bytes unparsed(block_.get() + begin_, end_ - begin_);
  TRY(const std::size_t taken, parser_->feed(as_text(unparsed)));
  begin_ += taken;
  return taken > 0;
}

net::Task<Result<>> ClientConnection::body_readable() {
  if (!starved_) co_return Result<>{};
  release_block();
  co_return co_await stream_->readable();
}

Result<std::optional<std::size_t>> ClientConnection::try_read_body(MutableBytes into) {
  while (true) {
    if (!parsed_body_.empty()) {
      const Bytes taken = parsed_body_.first(std::min(parsed_body_.size(), into.size()));
      std::memcpy(into.data(), taken.data(), taken.size());
      parsed_body_ = parsed_body_.subspan(taken.size());
      return taken.size();
    }
    const std::optional<std::uint64_t> left = parser_->body_left();
    if (begin_ == end_ && left && *left > 0) return try_read_straight(into, *left);
    TRY(parsed_body_, try_read_body());
    if (!parsed_body_.empty()) continue;
    if (parser_->complete()) return 0;
    TRY(const bool filled, try_fill());
    starved_ = !filled;
    if (!filled) return std::nullopt;
  }
}

/// The body's next bytes, past the block: nothing stands between them.
Result<std::optional<std::size_t>> ClientConnection::try_read_straight(MutableBytes into,
                                                                       std::uint64_t left) {
  into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left)));
  TRY(const std::optional<std::size_t> count, stream_->try_read(into));
  starved_ = !count;
  if (!count) return std::nullopt;
  if (*count == 0) {
    TRY_VOID(parser_->finish());
    return 0;
  }
  TRY_VOID(parser_->feed(as_text(into.first(*count))));
  return count;
}

/// Nothing is held while there may be long to wait.
void ClientConnection::release_block() {
  if (begin_ != end_) return;
  block_.reset();
  begin_ = end_ = 0;
}

/// Reads more input, or tells the parser of the stream's end.
net::Task<Result<>> ClientConnection::fill() {
  release_block();
  CO_TRY_VOID(co_await stream_->readable());
  CO_TRY_VOID(try_fill());
  co_return Result<>{};
}

/// False: there is nothing now.
Result<bool> ClientConnection::try_fill() {
  if (!block_) block_ = std::make_unique_for_overwrite<std::byte[]>(kBlockBytes);
  std::memmove(block_.get(), block_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  TRY(const std::optional<std::size_t> count,
      stream_->try_read({block_.get() + end_, kBlockBytes - end_}));
  if (!count) return false;
  if (*count == 0) {
    TRY_VOID(parser_->finish());
    return true;
  }
  answered_ = true;
  end_ += *count;
  return true;
}

bool ClientConnection::is_reusable() {
  if (!parser_) return true;
  if (!parser_->complete() || !parser_->keeps_connection() || begin_ != end_) return false;
  // An idle server says nothing: whatever can be read now is its end, or out of place.
  std::array<std::byte, 1> byte;
  const auto count = stream_->try_read(byte);
  return count && !*count;
}

Upgraded ClientConnection::upgrade() {
  const Bytes unparsed(block_.get() + begin_, end_ - begin_);
  return {std::move(stream_), std::string(as_text(unparsed))};
}

}  // namespace sluice::http
