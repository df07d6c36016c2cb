// JsonLines: a response's body of newline-delimited JSON objects, one after the other.
#pragma once

#include <string>

#include "base/json.h"
#include "http/client_connection.h"

namespace sluice::cli {

class JsonLines {
 public:
  static constexpr std::size_t kMaxLineBytes = 1024 * 1024;

  /// The response's head has been read. `connection` outlives it.
  explicit JsonLines(http::ClientConnection& connection) : connection_(connection) {}

  /// Errors: Unavailable: the body has ended, or isn't what it should be; Cancelled: the connection
  /// can't be used any more.
  net::Task<Result<json::object>> next();

 private:
  Result<json::object> parse(std::string_view line);

  http::ClientConnection& connection_;
  std::string received_;  // and not yet parsed: from `begin_` on
  std::size_t begin_ = 0;
};

}  // namespace sluice::cli
