// What both ways to a container's log share (api_log_stream.h, kubelet_log_stream.h): what reading
// takes, what is made of the options, and how a log ends.
#pragma once

#include <span>
#include <string_view>

#include "backend/kubernetes/api_client.h"
#include "backend/kubernetes/container_run.h"
#include "backend/options.h"
#include "backend/streams.h"
#include "loglines/reader.h"

namespace sluice::backend::kubernetes {

/// What reading a log takes; all outlive the stream.
struct LogServices {
  ApiClient& client;
  net::Timers& timers;
  Random& random;
};

/// For so long a stream tries to go on while nobody answers.
constexpr nanoseconds kMaxLogOutage = std::chrono::minutes(5);

constexpr const char* kPodDeleted = "pod deleted";

/// What all streams of a thread yield their pieces in, one at a time.
std::span<LogPiece> log_piece_scratch();

loglines::ReaderOptions reader_options(const LogOptions& options, loglines::Format format);

std::unexpected<Error> log_lines_lost();

/// For a container's log by the API server; `query` is without the container.
ApiRequest log_request(const PodRecord& pod, std::string_view container, std::string_view query,
                       std::optional<Impersonation> as);

/// Why a container's log ends that has been read to its end. `pod` null: it is gone.
const char* reason_of_end(bool follow, bool previous, const PodRecord* pod,
                          std::string_view container);

StreamEnd end_of_log(std::string_view reason);

}  // namespace sluice::backend::kubernetes
