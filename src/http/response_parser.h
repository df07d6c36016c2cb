// ResponseParser: bytes in, one response out (RFC 9112): its head, then its body as it comes, which
// is neither copied nor kept. By Boost.Beast. No I/O. Not for responses to HEAD.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "http/message.h"

namespace sluice::http {

class ResponseParser {
 public:
  /// Bytes that a head or another element of the syntax may have.
  static constexpr std::size_t kMaxElementBytes = 64 * 1024;

  ResponseParser();
  ~ResponseParser();

  /// Takes a prefix of `input` and says how much; the rest is to be offered again. Nothing taken,
  /// and not complete(): offer it with what follows. Errors: Unavailable (malformed).
  Result<std::size_t> feed(std::string_view input);
  /// The part of the last feed()'s input that belongs to the body; may be empty.
  std::string_view body() const;
  /// The connection has ended: that is the end of a body without a length (RFC 9112 6.3). Errors:
  /// Unavailable (cut short).
  Result<> finish();

  bool head_complete() const;
  bool complete() const;
  /// Of a body whose length the head said, what was not fed yet; nullopt: it is sent otherwise.
  std::optional<std::uint64_t> body_left() const;
  /// Once, when head_complete().
  ResponseHead take_head();
  /// When complete(): whether the server takes another request on this connection.
  bool keeps_connection() const;

 private:
  struct Beast;  // keeps Beast's headers out of this one
  std::unique_ptr<Beast> beast_;
};

}  // namespace sluice::http
