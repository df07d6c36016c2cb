// Paths of the Cluster API, below its base path, with their queries.
#pragma once

#include <string>
#include <string_view>

#include "workload/workload_ref.h"

namespace sluice::cli {

/// "/api/v1/PROJECT/workloads".
std::string workloads_path(const std::string& project);
/// "/api/v1/PROJECT/workloads/TYPE/FRAMEWORK/NAME/ENDPOINT".
std::string path_of(const workload::WorkloadRef& workload, std::string_view endpoint);

/// Query fields, encoded: "a=b&c=d". Empty values are left out.
class Query {
 public:
  Query& add(std::string_view name, std::string_view value);
  /// The path with the query behind it, if there is any.
  std::string on(std::string path) const;

 private:
  std::string text_;
};

}  // namespace sluice::cli
