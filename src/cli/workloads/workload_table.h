// The table of a list of workloads.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace sluice::cli {

std::vector<std::string> workload_columns();
/// `workload` as the list has it; its age is of `now`.
std::vector<std::string> workload_row(const json::object& workload, WallTime now);

}  // namespace sluice::cli
