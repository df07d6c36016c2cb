#include "backend/kubernetes/watch_decoder.h"

namespace sluice::backend::kubernetes {
namespace {

std::optional<WatchEventType> parse_type(std::string_view type) {
  if (type == "ADDED") return WatchEventType::Added;
  if (type == "MODIFIED") return WatchEventType::Modified;
  if (type == "DELETED") return WatchEventType::Deleted;
  if (type == "BOOKMARK") return WatchEventType::Bookmark;
  if (type == "ERROR") return WatchEventType::Error;
  return std::nullopt;
}

std::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorCode::Unavailable, "malformed watch event: " + std::string(why));
}

Result<WatchEvent> parse_event(std::string_view line) {
  auto document = json::parse(line, json::kDeep);
  if (!document) return malformed(document.error().message);
  json::object* members = document->if_object();
  if (members == nullptr) return malformed("not an object");
  const auto type = parse_type(json::find_string(*members, "type").value_or(""));
  if (!type) return malformed("of no known type");
  json::value* object = members->if_contains("object");
  if (object == nullptr || !object->is_object()) return malformed("without an object");
  return WatchEvent{*type, std::move(*object)};
}

}  // namespace

Result<std::optional<WatchEvent>> WatchDecoder::next() {
  while (true) {
    const std::size_t end = pending_.find('\n', searched_);
    if (end == std::string::npos) {
      pending_.erase(0, at_);
      at_ = 0;
      searched_ = pending_.size();
      if (pending_.size() > kMaxEventBytes) return malformed("too large");
      return std::nullopt;
    }
    const std::string_view line = std::string_view(pending_).substr(at_, end - at_);
    at_ = searched_ = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    TRY(WatchEvent event, parse_event(line));
    return event;
  }
}

}  // namespace sluice::backend::kubernetes
