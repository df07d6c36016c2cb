#include "cli/cluster/workload_lookup.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/cluster/api_path.h"

namespace sluice::cli {
namespace {

using workload::WorkloadClass;
using workload::WorkloadRef;

struct Listed {
  std::string name;
  WorkloadClass workload_class;
};

/// Whatever of it makes no sense to us is left out: a newer server may have more types.
std::vector<Listed> read_list(const json::value& body) {
  std::vector<Listed> listed;
  const json::object* object = body.if_object();
  const json::array* workloads =
      object != nullptr ? json::find_array(*object, "workloads") : nullptr;
  if (workloads == nullptr) return listed;
  for (const json::value& value : *workloads) {
    const json::object* entry = value.if_object();
    if (entry == nullptr) continue;
    const auto known = workload::parse_workload_class(json::text_of(*entry, "type"),
                                                      json::text_of(*entry, "framework"));
    if (known) listed.push_back({json::text_of(*entry, "name"), *known});
  }
  return listed;
}

net::Task<Result<std::vector<Listed>>> list(Context& context, std::string project) {
  const Result<json::value> body = co_await context.api.get_json(workloads_path(project));
  if (body) co_return read_list(*body);
  if (is_unknown_path(body.error())) {
    co_return fail(ErrorCode::InvalidArgument,
                   "this server can't list workloads, so say of which type it is: `sluice training "
                   "logs NAME`, for example");
  }
  co_return fail(body.error());
}

Result<WorkloadClass> class_of(const WorkloadName& name) {
  const bool is_external = name.type == to_string(workload::WorkloadType::External);
  return workload::parse_workload_class(name.type, is_external ? name.type : name.framework);
}

Error no_workload(const std::string& name, const std::string& project,
                  const std::vector<Listed>& listed) {
  Error error{ErrorCode::NotFound,
              fmt::format("no workload \"{}\" in project \"{}\"", name, project)};
  std::vector<std::string_view> names;
  for (const Listed& one : listed) names.push_back(one.name);
  const auto near = nearest(name, names);
  if (near) {
    error.message += fmt::format("; did you mean \"{}\"?", *near);
  } else {
    error.message += "; `sluice list` shows those that there are";
  }
  return error;
}

std::string options_of(const WorkloadClass& known) {
  return fmt::format("--type {} --framework {}", to_string(known.type), to_string(known.framework));
}

Error of_another_type(const Listed& one, const WorkloadRef& asked) {
  return {ErrorCode::NotFound,
          fmt::format("no workload \"{}\" of {}/{} in project \"{}\"; there is one of {}/{}: {}",
                      asked.name, to_string(asked.type), to_string(asked.framework), asked.project,
                      to_string(one.workload_class.type), to_string(one.workload_class.framework),
                      options_of(one.workload_class))};
}

Error several(const std::string& name, const std::vector<const Listed*>& found) {
  std::string types;
  for (const Listed* one : found) {
    types += (types.empty() ? "" : ", or ") + options_of(one->workload_class);
  }
  return {
      ErrorCode::InvalidArgument,
      fmt::format("{} workloads have the name \"{}\"; say which: {}", found.size(), name, types)};
}

}  // namespace

bool is_end_phase(std::string_view phase) {
  constexpr std::array<std::string_view, 4> kEndPhases{"Completed", "Succeeded", "Failed",
                                                       "Stopped"};
  return std::ranges::find(kEndPhases, phase) != kEndPhases.end();
}

bool is_unknown_path(const Error& error) {
  const std::string& message = error.message;
  // Of what it knows, it says that the project or the workload is not there.
  return error.code == ErrorCode::NotFound && !message.contains("project") &&
         !message.contains("workload");
}

Error without_list(const Error& error) {
  if (!is_unknown_path(error)) return error;
  return {ErrorCode::Internal, "this server can't list workloads"};
}

Result<std::string> project_of(const Settings& settings) {
  if (!settings.project.empty()) return settings.project;
  return fail(ErrorCode::InvalidArgument, "which project? Give -p PROJECT, or set SLUICE_PROJECT");
}

net::Task<Result<WorkloadRef>> look_up(Context& context, const WorkloadName& name) {
  CO_TRY(const std::string project, project_of(context.settings));
  WorkloadRef workload{.project = project, .name = name.name};
  if (!name.type.empty()) {
    CO_TRY(const WorkloadClass given, class_of(name));
    workload.type = given.type;
    workload.framework = given.framework;
    co_return workload;
  }
  CO_TRY(const std::vector<Listed> listed, co_await list(context, project));
  std::vector<const Listed*> found;
  for (const Listed& one : listed) {
    if (one.name == name.name) found.push_back(&one);
  }
  if (found.empty()) co_return fail(no_workload(name.name, project, listed));
  if (found.size() > 1) co_return fail(several(name.name, found));
  workload.type = found.front()->workload_class.type;
  workload.framework = found.front()->workload_class.framework;
  co_return workload;
}

net::Task<Error> explain(Context& context, const WorkloadRef& workload, const Error& error) {
  if (error.code != ErrorCode::WorkloadNotFound) co_return error;
  const Result<std::vector<Listed>> listed = co_await list(context, workload.project);
  if (!listed) co_return error;
  std::vector<Listed> others;
  for (const Listed& one : *listed) {
    if (one.name == workload.name) co_return of_another_type(one, workload);
    if (one.workload_class.type == workload.type) others.push_back(one);
  }
  co_return no_workload(workload.name, workload.project, others);
}

}  // namespace sluice::cli
