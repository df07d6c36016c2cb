// What a watch of workloads says: one JSON object a line. WorkloadEvents compares what the client
// was told with what there is now; it keeps the picture that the client has and nothing else, so a
// client that reads slowly misses steps, never their outcome. No I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "workload/status.h"

namespace sluice::gateway {

class WorkloadEvents {
 public:
  /// The lines that bring the client's picture to `now`, which is sorted as select() sorts: ADDED,
  /// MODIFIED, DELETED (with what it was last); the first time, SYNCED after them. Empty: there is
  /// nothing to tell.
  std::string take(std::vector<workload::WorkloadStatus> now);

 private:
  std::vector<workload::WorkloadStatus> told_;
  bool synced_ = false;
};

std::string heartbeat_event();
/// The last line, with the code that an HTTP answer would have.
std::string end_event(unsigned code, std::string_view message);

}  // namespace sluice::gateway
