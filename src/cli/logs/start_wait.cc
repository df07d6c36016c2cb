#include "cli/logs/start_wait.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/cluster/api_path.h"
#include "cli/cluster/workload_lookup.h"
#include "cli/terminal/console.h"

namespace sluice::cli {
namespace {

using workload::WorkloadRef;

constexpr nanoseconds kInterval = milliseconds(500);

bool is_absence(const Error& error) {
  return error.code == ErrorCode::NotFound || error.code == ErrorCode::WorkloadNotFound;
}

/// The entry of that name; without a name the default one, else the first. nullptr: none.
const json::object* choose(const json::array& entries, const std::string& name) {
  const json::object* chosen = nullptr;
  for (const json::value& value : entries) {
    const json::object* entry = value.if_object();
    if (entry == nullptr) continue;
    const bool is_wanted =
        name.empty() ? json::flag_of(*entry, "default") : json::text_of(*entry, "name") == name;
    if (is_wanted) return entry;
    if (name.empty() && chosen == nullptr) chosen = entry;
  }
  return chosen;
}

struct Look {
  std::optional<WorkloadRef> started;
  std::string missing;  // what has yet to be there
};

Look still_missing(std::string what) { return {std::nullopt, std::move(what)}; }

/// Errors: those that waiting doesn't change, and Unavailable.
net::Task<Result<Look>> look(Context& context, const WorkloadName& name,
                             const TargetOptions& target) {
  const Result<WorkloadRef> workload = co_await look_up(context, name);
  if (!workload && is_absence(workload.error())) {
    co_return still_missing(fmt::format("workload \"{}\"", name.name));
  }
  if (!workload) co_return fail(workload.error());
  Result<json::value> pods = co_await context.api.get_json(path_of(*workload, "pods"));
  if (!pods && is_absence(pods.error())) {
    // A server that doesn't list pods, or no such workload: its status tells.
    const Result<json::value> status = co_await context.api.get_json(path_of(*workload, "status"));
    if (!status && is_absence(status.error())) {
      co_return still_missing(fmt::format("workload \"{}\"", name.name));
    }
    co_return Look{*workload, {}};
  }
  // Who may read logs need not be allowed to see the status.
  const bool is_refused = !pods && pods.error().code == ErrorCode::PermissionDenied;
  if (!pods && !is_refused) co_return fail(pods.error());
  const json::object* object = pods ? pods->if_object() : nullptr;
  Look found{*workload, object != nullptr ? missing_for_start(*object, target) : ""};
  if (!found.missing.empty()) found.started.reset();
  co_return found;
}

}  // namespace

bool has_started(const json::object& container) {
  return json::text_of(container, "state") != "waiting" ||
         !json::text_of(container, "startedAt").empty();
}

std::string missing_for_start(const json::object& pods, const TargetOptions& target) {
  const json::object* pod = choose(json::list_of(pods, "pods"), target.pod);
  if (pod == nullptr) return target.pod.empty() ? "a pod" : fmt::format("pod \"{}\"", target.pod);
  const json::array& containers = json::list_of(*pod, "containers");
  const json::object* container = choose(containers, target.container);
  // A pod's containers never change: that there is none of this name, the log's request will tell.
  if (container == nullptr && !containers.empty()) return {};
  const std::string pod_name = json::text_of(*pod, "name");
  if (container == nullptr) return fmt::format("the containers of pod \"{}\"", pod_name);
  if (has_started(*container)) return {};
  std::string missing =
      fmt::format("container \"{}\" of pod \"{}\"", json::text_of(*container, "name"), pod_name);
  const std::string reason = json::text_of(*container, "reason");
  if (!reason.empty()) missing += fmt::format(" ({})", reason);
  return missing;
}

net::Task<Result<WorkloadRef>> wait_for_start(Context& context, WorkloadName name,
                                              TargetOptions target, nanoseconds timeout) {
  const MonotonicTime begin = context.timers.now();
  std::string missing;
  while (true) {
    const Result<Look> looked = co_await look(context, name, target);
    // A server that was there once may be restarting.
    const bool may_pass = !looked && is_passing(looked.error()) && !missing.empty();
    if (!looked && !may_pass) co_return fail(looked.error());
    if (looked && looked->started) co_return *looked->started;
    const std::string now_missing = looked ? looked->missing : "the server";
    if (now_missing != missing) note(fmt::format("waiting for {}", now_missing));
    missing = now_missing;
    const nanoseconds left = timeout - (context.timers.now() - begin);
    if (left <= nanoseconds(0)) break;
    CO_TRY_VOID(co_await context.timers.sleep_for(std::min(left, kInterval)));
  }
  co_return fail(ErrorCode::Conflict, fmt::format("timed out waiting for {}", missing));
}

}  // namespace sluice::cli
