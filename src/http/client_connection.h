// ClientConnection: the client's side of one HTTP/1.1 connection (RFC 9112): requests one after the
// other, each response's body read as it arrives, or the connection given away after a 101. Waiting
// for the next bytes, it holds no buffer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "http/message.h"
#include "http/response_parser.h"
#include "http/upgraded.h"

namespace sluice::http {

struct ClientRequest {
  std::string method = "GET";  // not HEAD
  std::string target;          // path and query, percent-encoded
  FieldMap fields;             // Host included; Content-Length is added when there is a body
  std::string body;
};

/// One call at a time. Cancelling one leaves the connection unusable.
class ClientConnection final {
 public:
  explicit ClientConnection(std::unique_ptr<net::Stream> stream);
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  /// Sends the request and reads the response's head; what comes before it (100, 103) is skipped.
  /// The response before must have been read to its end. Errors: Unavailable (gone, malformed),
  /// Cancelled.
  net::Task<Result<ResponseHead>> send(ClientRequest request);
  /// The next bytes of the body, valid until the next call; empty: its end.
  /// Errors: Unavailable (cut short, malformed), Cancelled.
  net::Task<Result<Bytes>> read_body();
  /// The same of what has been received already; empty: that is for read_body() to tell.
  Result<Bytes> try_read_body();
  /// The body without a copy of it: completes when try_read_body(into) may give more.
  /// Errors: Unavailable, Cancelled.
  net::Task<Result<>> body_readable();
  /// Reads what is there of the body; 0: its end; nullopt: nothing now. Not mixed with the other
  /// ways to read a body. Errors: Unavailable (cut short, malformed).
  Result<std::optional<std::size_t>> try_read_body(MutableBytes into);
  /// What is left of the body. Errors: as read_body(); Unavailable (more than `limit_bytes`).
  net::Task<Result<std::string>> read_whole_body(std::size_t limit_bytes);

  /// Whether another request may be sent: the response was read to its end, both sides keep the
  /// connection, and the server has not closed it since.
  bool is_reusable();
  /// Whether anything has come in answer to the last request. Where nothing has, on a connection
  /// that was used before, the server may just have closed it as idle.
  bool was_answered() const { return answered_; }
  /// After a 101. Only destruction may follow.
  Upgraded upgrade();
  const net::Stream& stream() const { return *stream_; }

 private:
  net::Task<Result<ResponseHead>> read_head();
  Result<bool> parse();
  void release_block();
  net::Task<Result<>> fill();
  Result<bool> try_fill();
  Result<std::optional<std::size_t>> try_read_straight(MutableBytes into, std::uint64_t left);

  std::unique_ptr<net::Stream> stream_;
  std::optional<ResponseParser> parser_;  // of the response under way
  bool answered_ = false;
  // Read and not yet parsed: a part of the block, which is there only while it is needed.
  std::unique_ptr<std::byte[]> block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Bytes parsed_body_;     // of the block, what try_read_body(into) had no room for
  bool starved_ = false;  // try_read_body(into) has taken all there was
};

}  // namespace sluice::http
