// KubeletLogStart: which files the node of a container has of its log, and where in them a reader
// begins: a tail is looked for backwards, a time by halving, so that little of large logs is read.
// (The time in a rotated file's name can't be used for that: it is the node's local one.)
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "backend/kubernetes/api/api_client.h"
#include "backend/kubernetes/cache/records.h"
#include "backend/kubernetes/logs/log_files.h"
#include "backend/options.h"
#include "loglines/record.h"

namespace sluice::backend::kubernetes {

struct KubeletLogStart {
  std::string folder;          // path of the container's files
  std::vector<LogFile> files;  // of the run, oldest first; at least one
  std::size_t index = 0;       // of the file where reading begins
  std::uint64_t offset = 0;    // there
  std::array<std::uint64_t, loglines::kChannels> skip_bytes{};  // for loglines::Reader
};

/// Of the run of a container that has begun. Errors: NotFound (the kubelet has no files of it, or
/// they are rotated faster than they can be looked at), PermissionDenied, Unavailable (it does not
/// answer), Conflict (a file that has to be looked at is damaged), Cancelled.
net::Task<Result<KubeletLogStart>> find_kubelet_log(ApiClient& kubelet,
                                                    std::shared_ptr<const PodRecord> pod,
                                                    std::string container, LogOptions options);

/// The files that a kubelet has in a container's folder, as its file server lists them. Errors:
/// NotFound (no such folder), PermissionDenied, Unavailable, Cancelled.
net::Task<Result<std::string>> list_log_folder(ApiClient& kubelet, std::string folder);

Error damaged_log_file(const LogFile& file);

}  // namespace sluice::backend::kubernetes
