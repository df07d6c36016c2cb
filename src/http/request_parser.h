// RequestParser: bytes in, one request's head out, its body dropped (RFC 9112). Boost.Beast parses;
// before it, what Beast lets through and a proxy might read otherwise is refused: bare line feeds,
// folded lines, two framings of one body, a second Host. No I/O.
#pragma once

#include <memory>
#include <string_view>

#include "http/message.h"

namespace sluice::http {

class RequestParser {
 public:
  /// Limits in bytes: of the whole head, and of a body.
  RequestParser(std::size_t head_limit, std::size_t body_limit);
  ~RequestParser();

  /// Takes a prefix of `input` and says how much; the rest is to be offered again with what
  /// follows. Errors: InvalidArgument (malformed), HeaderTooLarge, TooLarge (body).
  Result<std::size_t> feed(std::string_view input);
  /// The head has been read; the body perhaps not yet.
  bool head_complete() const;
  /// Head and body have been read: what follows is the next request, or another protocol.
  bool complete() const;
  /// The client waits for "100 Continue" before it sends the body (RFC 9110 10.1.1).
  bool expects_continue() const;
  /// Once, when complete().
  RequestHead take_head();

 private:
  struct Beast;  // keeps Beast's headers out of this one

  Result<std::size_t> check_head(std::string_view input);
  Result<std::size_t> put(std::string_view bytes);
  Result<> read_head();
  std::unexpected<Error> too_large() const;

  std::size_t head_limit_;
  std::size_t checked_ = 0;  // bytes of a head that is not whole yet
  std::unique_ptr<Beast> beast_;
};

}  // namespace sluice::http
