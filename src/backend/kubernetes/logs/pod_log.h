// What both ways to a container's log share (api_log_stream.h, kubelet_log_stream.h): what reading
// takes, and how a log ends.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "backend/kubernetes/api/api_client.h"
#include "backend/kubernetes/logs/container_run.h"
#include "backend/streams.h"

namespace sluice::backend::kubernetes {

/// What reading a log takes; all outlive the stream.
struct LogServices {
  ApiClient& client;
  net::Timers& timers;
  Random& random;
};

/// For so long a stream tries to go on while nobody answers.
constexpr nanoseconds kMaxLogOutage = std::chrono::minutes(5);

/// What all streams of a thread yield their pieces in, one at a time.
std::span<LogPiece> log_piece_scratch();

/// For a container's log by the API server; `query` is without the container.
ApiRequest log_request(const PodRecord& pod, std::string_view container, std::string_view query,
                       std::optional<Impersonation> as);

/// How a log ends, and the words for the close reason (LogStream::end_reason()).
struct EndOfLog {
  StreamEnd kind = StreamEnd::Completed;
  std::string_view reason;  // a literal
};

inline constexpr EndOfLog kEndOfLogs{StreamEnd::Completed, "end of logs"};
inline constexpr EndOfLog kContainerEnded{StreamEnd::Completed, "container ended"};
inline constexpr EndOfLog kPodDeleted{StreamEnd::TargetDeleted, "pod deleted"};

/// LogStream::end() and end_reason() of a stream with this end; nullopt: there may be more.
inline std::optional<StreamEnd> kind_of(const std::optional<EndOfLog>& end) {
  return end ? std::optional(end->kind) : std::nullopt;
}
inline std::string_view reason_of(const std::optional<EndOfLog>& end) {
  return end ? end->reason : std::string_view();
}

/// Of a container's log that has been read to its end. `pod` null: it is gone.
EndOfLog end_of_log(bool follow, bool previous, const PodRecord* pod, std::string_view container);

}  // namespace sluice::backend::kubernetes
