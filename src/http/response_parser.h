// ResponseParser: bytes in, one response out (RFC 9112), by Boost.Beast. No I/O.
#pragma once

#include <memory>
#include <string_view>

#include "http/message.h"

namespace sluice::http {

class ResponseParser {
 public:
  explicit ResponseParser(std::size_t body_limit);
  ~ResponseParser();

  /// Takes a prefix of `input`; the rest is to be offered again with what follows.
  /// Errors: Unavailable (malformed or too large).
  Result<std::size_t> feed(std::string_view input);
  /// The connection has ended: the end of a body without a length (RFC 9112 6.3). Errors:
  /// Unavailable.
  Result<> finish();
  bool complete() const;
  /// Once, when complete().
  Response take();

 private:
  struct Beast;
  std::unique_ptr<Beast> beast_;
};

}  // namespace sluice::http
