// The query of a list of workloads, and what it leaves of what there is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "workload/status.h"

namespace sluice::gateway {

struct ListRequest {
  std::optional<workload::WorkloadType> type;  // absent: all types
  std::string name;                            // empty: all names
};

/// Errors: InvalidArgument.
Result<ListRequest> parse_list_request(std::string_view raw_query);

/// Those that the request asks for, sorted by type, then name, then framework.
std::vector<workload::WorkloadStatus> select(std::vector<workload::WorkloadStatus> workloads,
                                             const ListRequest& request);

}  // namespace sluice::gateway
