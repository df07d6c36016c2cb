// The paths of the contract (section 1): which endpoint a request means, before anything else about
// it is looked at. What stands in the path's parameters is checked only after the token, by
// parse_project() and parse_workload().
#pragma once

#include <string>
#include <string_view>

#include "observe/metrics.h"
#include "workload/workload_ref.h"

namespace sluice::gateway {

struct Route {
  Endpoint endpoint = Endpoint::Unknown;
  // As they stand in the path, still percent-encoded; empty for the cluster's status, and all but
  // the project for a list of workloads.
  std::string project;
  std::string type;
  std::string framework;
  std::string name;
};

class Router {
 public:
  /// `base`: "/cluster-api", or "" for the root; without a slash at the end.
  explicit Router(std::string base) : base_(std::move(base)) {}

  /// `path` is percent-encoded and begins with '/'.
  /// Errors: NotFound; MethodNotAllowed on a path that exists (only GET is allowed).
  Result<Route> match(std::string_view method, std::string_view path) const;

 private:
  std::string base_;
};

/// Decodes and checks the project. Errors: InvalidArgument, "malformed path parameter: …".
Result<std::string> parse_project(const Route& route);
/// Decodes and checks all of the path's parameters. Errors: InvalidArgument, "malformed path
/// parameter: …".
Result<workload::WorkloadRef> parse_workload(const Route& route);

}  // namespace sluice::gateway
