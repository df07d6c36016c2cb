// The files that a kubelet keeps of a container's log, as its file server lists them:
//   0.log.20260102-030405.gz  0.log.20260102-040506  0.log
// The number is the run's; without a time it is the one that is being written. A rotated file is
// compressed at the next rotation (kubernetes pkg/kubelet/logs/container_log_manager.go).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::backend::kubernetes {

struct LogFile {
  int restart = 0;      // the run
  std::string rotated;  // when, as digits that compare as text; empty: it is being written
  bool compressed = false;

  bool is_current() const { return rotated.empty(); }
  std::string name() const;
  bool operator==(const LogFile&) const = default;
};

/// Whether `a` was written before `b`, both being of one run.
bool is_older(const LogFile& a, const LogFile& b);

/// The files of a run in a directory listing of Go's http.FileServer, oldest first; what is listed
/// both plain and compressed, once, plain. Other names are passed over.
std::vector<LogFile> files_of_run(std::string_view listing, int restart);

/// The newest run in the listing that is not newer than `restart`.
std::optional<int> newest_run(std::string_view listing, int restart);

}  // namespace sluice::backend::kubernetes
