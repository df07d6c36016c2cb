#include "cli/cluster/api_path.h"

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::cli {

std::string workloads_path(const std::string& project) {
  return fmt::format("/api/v1/{}/workloads", percent_encode(project));
}

std::string path_of(const workload::WorkloadRef& workload, std::string_view endpoint) {
  return fmt::format("{}/{}/{}/{}/{}", workloads_path(workload.project), to_string(workload.type),
                     to_string(workload.framework), percent_encode(workload.name), endpoint);
}

Query& Query::add(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  text_ += fmt::format("{}{}={}", text_.empty() ? "" : "&", name, percent_encode(value));
  return *this;
}

std::string Query::on(std::string path) const {
  return text_.empty() ? std::move(path) : std::move(path) + "?" + text_;
}

}  // namespace sluice::cli
