// The query of a list of workloads, and what it leaves of what there is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "workload/status.h"

namespace sluice::gateway {

struct ListRequest {
  std::optional<workload::WorkloadType> type;  // absent: all types
  std::string name;                            // empty: all names
  bool watch = false;                          // go on telling what changes
};

/// Errors: InvalidArgument.
Result<ListRequest> parse_list_request(std::string_view raw_query);

/// What tells workloads of one project apart, and orders them: type, name, framework. Valid as long
/// as the status.
using ListKey = std::tuple<std::string_view, std::string_view, std::string_view>;
ListKey list_key(const workload::WorkloadStatus& status);

/// Those that the request asks for, sorted by list_key().
std::vector<workload::WorkloadStatus> select(std::vector<workload::WorkloadStatus> workloads,
                                             const ListRequest& request);

}  // namespace sluice::gateway
