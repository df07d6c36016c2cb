#include "gateway/list_request.h"

#include <algorithm>

#include "gateway/query.h"

namespace sluice::gateway {
namespace {

using workload::WorkloadStatus;

Result<std::optional<workload::WorkloadType>> parse_type(const Query& query) {
  TRY(const std::optional<std::string> text, query.verbatim("type"));
  if (!text) return std::nullopt;
  const auto type = workload::parse_workload_type(*text);
  if (type) return type;
  return fail(ErrorCode::InvalidArgument,
              "query field type: must be workspace, training, distributed, inference or external, "
              "got " +
                  quoted(*text));
}

}  // namespace

Result<ListRequest> parse_list_request(std::string_view raw_query) {
  TRY(const Query query, Query::parse(raw_query));
  ListRequest request;
  TRY(request.type, parse_type(query));
  TRY(request.name, query.text("name"));
  TRY(request.watch, query.boolean("watch", false));
  return request;
}

ListKey list_key(const WorkloadStatus& status) {
  const workload::WorkloadRef& ref = status.workload;
  return {workload::to_string(ref.type), ref.name, workload::to_string(ref.framework)};
}

std::vector<WorkloadStatus> select(std::vector<WorkloadStatus> workloads,
                                   const ListRequest& request) {
  std::erase_if(workloads, [&](const WorkloadStatus& status) {
    const workload::WorkloadRef& ref = status.workload;
    return (request.type && ref.type != *request.type) ||
           (!request.name.empty() && ref.name != request.name);
  });
  std::ranges::sort(workloads, {}, list_key);
  return workloads;
}

}  // namespace sluice::gateway
