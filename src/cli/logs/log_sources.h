// The containers whose logs `logs --all-pods` merges, out of the server's list of pods. No I/O.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace sluice::cli {

struct LogSource {
  std::string pod;
  std::string container;
  std::string pod_created;  // tells a pod from an earlier one of its name
  std::string label;        // "POD/CONTAINER", or "POD" where every pod has one container
  std::int64_t restarts = 0;
  bool has_started = false;  // once: there is a log
  std::string started;       // when its run did; empty: not known
  std::string reason;        // why it hasn't
};

/// In the server's order. `container`: only those of this name; empty: all.
std::vector<LogSource> log_sources(const json::object& pods, const std::string& container);

/// Whether there are pods, and all have ended.
bool have_ended(const json::object& pods);

}  // namespace sluice::cli
