#include "cli/cluster/json_lines.h"

namespace sluice::cli {

net::Task<Result<json::object>> JsonLines::next() {
  while (true) {
    const std::size_t end = received_.find('\n', begin_);
    if (end != std::string::npos) {
      const std::string_view line = std::string_view(received_).substr(begin_, end - begin_);
      begin_ = end + 1;
      co_return parse(line);
    }
    received_.erase(0, begin_);
    begin_ = 0;
    if (received_.size() > kMaxLineBytes) {
      co_return fail(ErrorCode::Unavailable, "the server sends a line that is too long");
    }
    CO_TRY(const Bytes piece, co_await connection_.read_body());
    if (piece.empty()) co_return fail(ErrorCode::Unavailable, "the connection was lost");
    received_ += as_text(piece);
  }
}

Result<json::object> JsonLines::parse(std::string_view line) {
  const Result<json::value> value = json::parse(line);
  const json::object* object = value ? value->if_object() : nullptr;
  if (object != nullptr) return *object;
  return fail(ErrorCode::Unavailable, "the server sends something else than lines of JSON");
}

}  // namespace sluice::cli
