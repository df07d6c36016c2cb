#include "cli/port/forward_check.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/cluster/api_path.h"
#include "cli/cluster/workload_lookup.h"
#include "http/status.h"

namespace sluice::cli {
namespace {

using json::list_of;
using json::text_of;

std::vector<std::string> names_of(const json::array& entries) {
  std::vector<std::string> names;
  for (const json::value& value : entries) {
    if (const json::object* entry = value.if_object()) names.push_back(text_of(*entry, "name"));
  }
  return names;
}

std::unexpected<Error> none_of_that_name(std::string_view what, const std::string& name,
                                         const std::string& whose, const json::array& there) {
  return fail(ErrorCode::NotFound, fmt::format("no {} \"{}\" in {}; there are: {}", what, name,
                                               whose, fmt::join(names_of(there), ", ")));
}

Result<> check_container(const json::object& pod, const std::string& container) {
  const json::array& all = list_of(pod, "containers");
  const std::vector<std::string> names = names_of(all);
  const bool is_there = std::ranges::find(names, container) != names.end();
  if (container.empty() || names.empty() || is_there) return {};
  return none_of_that_name("container", container, fmt::format("pod \"{}\"", text_of(pod, "name")),
                           all);
}

/// The server says whether it is allowed before it says that it takes WebSockets only.
net::Task<Result<>> check_permission(Context& context, std::string path) {
  CO_TRY(const http::Response answer, co_await context.api.get(std::move(path)));
  const unsigned status = answer.head.status;
  if (status == http::status::kUnauthorized || status == http::status::kForbidden)
    co_return fail(error_of(answer));
  co_return Result<>{};
}

}  // namespace

Result<> check_pods(const json::object& pods, const TargetOptions& target,
                    const std::string& workload) {
  const std::string whose = fmt::format("workload \"{}\"", workload);
  const json::array& all = list_of(pods, "pods");
  if (all.empty()) return fail(ErrorCode::Conflict, whose + " has no pods");
  const json::object* chosen = nullptr;
  for (const json::value& value : all) {
    const json::object* pod = value.if_object();
    if (pod == nullptr) continue;
    const bool is_meant = target.pod.empty() ? !is_end_phase(text_of(*pod, "phase"))
                                             : text_of(*pod, "name") == target.pod;
    if (is_meant && chosen == nullptr) chosen = pod;
  }
  if (chosen == nullptr && target.pod.empty()) {
    return fail(ErrorCode::Conflict, fmt::format("all pods of {} have ended", whose));
  }
  if (chosen == nullptr) return none_of_that_name("pod", target.pod, whose, all);
  const std::string phase = text_of(*chosen, "phase");
  if (is_end_phase(phase)) {
    return fail(ErrorCode::Conflict, fmt::format("pod \"{}\" has ended: {}", target.pod, phase));
  }
  return check_container(*chosen, target.container);
}

net::Task<Result<>> check_forward(Context& context, workload::WorkloadRef workload,
                                  TargetOptions target, std::string path) {
  CO_TRY_VOID(co_await check_permission(context, std::move(path)));
  const Result<json::object> status = co_await context.api.get_object(path_of(workload, "status"));
  // Who may forward need not be allowed to see the status.
  if (!status && status.error().code == ErrorCode::PermissionDenied) co_return Result<>{};
  if (!status) {
    Error error = co_await explain(context, workload, status.error());
    co_return fail(std::move(error));
  }
  const std::string phase = text_of(*status, "phase");
  if (is_end_phase(phase)) {
    co_return fail(ErrorCode::Conflict,
                   fmt::format("workload \"{}\" has ended: {}", workload.name, phase));
  }
  const Result<json::object> pods = co_await context.api.get_object(path_of(workload, "pods"));
  if (!pods) co_return Result<>{};  // a server without this path, or that doesn't allow it
  co_return check_pods(*pods, target, workload.name);
}

}  // namespace sluice::cli
