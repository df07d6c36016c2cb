#include "backend/kubernetes/cache/watch_decoder.h"

namespace sluice::backend::kubernetes {
namespace {

/// nullopt: a type that is yet to be invented.
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

/// nullopt: an event that is nothing to us.
Result<std::optional<WatchEvent>> parse_event(std::string_view line) {
  auto document = json::parse(line, json::kDeep);
  if (!document) return malformed(document.error().message);
  json::object* members = document->if_object();
  if (members == nullptr) return malformed("not an object");
  const auto type = json::find_string(*members, "type");
  if (!type) return malformed("without a type");
  json::value* object = members->if_contains("object");
  if (object == nullptr || !object->is_object()) return malformed("without an object");
  const auto known = parse_type(*type);
  if (!known) return std::nullopt;
  return WatchEvent{*known, std::move(*object)};
}

}  // namespace

Result<std::optional<WatchEvent>> WatchDecoder::next() {
  while (true) {
    const std::size_t end = pending_.find('\n', searched_);
    if (end == std::string::npos) {
      pending_.erase(0, at_);
      at_ = 0;
      searched_ = pending_.size();
      if (pending_.size() > max_event_bytes_) return malformed("too large");
      return std::nullopt;
    }
    const std::string_view line = std::string_view(pending_).substr(at_, end - at_);
    at_ = searched_ = end + 1;
    if (line.size() > max_event_bytes_) return malformed("too large");
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    TRY(std::optional<WatchEvent> event, parse_event(line));
    if (event) return event;
  }
}

}  // namespace sluice::backend::kubernetes
