// WatchDecoder: the body of a watch (a JSON document a line: {"type": …, "object": …}) as events.
// No I/O. Source: kubernetes/apimachinery pkg/watch, pkg/apis/meta/v1 WatchEvent.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/json.h"

namespace sluice::backend::kubernetes {

enum class WatchEventType { Added, Modified, Deleted, Bookmark, Error };

struct WatchEvent {
  WatchEventType type = WatchEventType::Added;
  json::value object;  // an object; of an Error, its Status
};

class WatchDecoder {
 public:
  /// One event may be so large: etcd's own limit for an object is 1.5 MiB.
  static constexpr std::size_t kMaxEventBytes = 16_MiB;

  explicit WatchDecoder(std::size_t max_event_bytes = kMaxEventBytes)
      : max_event_bytes_(max_event_bytes) {}

  void feed(Bytes bytes) { pending_.append(as_text(bytes)); }
  /// The next whole event; nullopt: more bytes are needed. Errors: Unavailable (malformed, too
  /// large): the watch can't go on.
  Result<std::optional<WatchEvent>> next();

 private:
  std::size_t max_event_bytes_;
  std::string pending_;
  std::size_t at_ = 0;        // of the next event in pending_
  std::size_t searched_ = 0;  // up to here there is no end of it
};

}  // namespace sluice::backend::kubernetes
