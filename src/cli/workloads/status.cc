#include "cli/workloads/status.h"

#include <fmt/format.h>

#include "cli/cluster/api_path.h"
#include "cli/cluster/workload_lookup.h"
#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"
#include "cli/terminal/printable.h"
#include "cli/terminal/table.h"
#include "http/status.h"

namespace sluice::cli {
namespace {

using json::flag_of;
using json::list_of;
using json::object_of;
using json::text_of;

/// "OK: kubernetes v1.37.2, sluiced 0.1.0", without what a server doesn't say.
std::string summary_of(const json::object& body) {
  const json::object& backend = object_of(body, "backend");
  std::string known;
  const auto add = [&](std::string_view before, const std::string& word) {
    if (!word.empty()) known += fmt::format("{}{}", known.empty() ? ": " : before, word);
  };
  add("", text_of(backend, "kind"));
  add(" ", text_of(backend, "version"));
  const std::string version = text_of(body, "version");
  add(", ", version.empty() ? "" : "sluiced " + version);
  return printable(text_of(body, "status") + known) + "\n";
}

std::string cluster_table(const json::object& body) {
  std::string text = summary_of(body);
  const std::string message = text_of(body, "message");
  if (!message.empty()) text += printable(message) + "\n";
  Table table({"FEATURE", "STATE", "MESSAGE"});
  const json::object& features = object_of(body, "features");
  if (features.empty()) return text;
  for (const auto& [name, value] : features) {
    const json::object* feature = value.if_object();
    if (feature == nullptr) continue;
    table.add({std::string(name), text_of(*feature, "state"), text_of(*feature, "message")});
  }
  return text + table.text();
}

void add_containers(const json::object& pod, Table& table) {
  for (const json::value& value : list_of(pod, "containers")) {
    const json::object* one = value.if_object();
    if (one == nullptr) continue;
    std::string state = text_of(*one, "state");
    if (const auto code = json::find_int64(*one, "exitCode")) {
      state += fmt::format(", exit code {}", *code);
    }
    const std::string reason = text_of(*one, "reason");
    if (!reason.empty()) state += ", " + reason;
    table.add({"  " + text_of(*one, "name"), state, flag_of(*one, "ready") ? "yes" : "no",
               std::to_string(json::find_int64(*one, "restarts").value_or(0)), ""});
  }
}

std::string describe_text(const json::object& status, const json::object& pods) {
  std::string text;
  for (const char* name : {"name", "project", "type", "framework", "kind", "phase", "message"}) {
    const std::string value = text_of(status, name);
    if (!value.empty())
      text += fmt::format("{:<12}{}\n", std::string(name) + ":", printable(value));
  }
  const json::array& all = list_of(pods, "pods");
  if (all.empty()) return text;
  Table table({"POD, CONTAINERS", "STATE", "READY", "RESTARTS", "NODE"});
  for (const json::value& value : all) {
    const json::object* pod = value.if_object();
    if (pod == nullptr) continue;
    table.add({text_of(*pod, "name"), text_of(*pod, "phase"), flag_of(*pod, "ready") ? "yes" : "no",
               std::to_string(json::find_int64(*pod, "restarts").value_or(0)),
               text_of(*pod, "node")});
    add_containers(*pod, table);
  }
  return text + "\n" + table.text();
}

}  // namespace

net::Task<Result<int>> run_status(Context& context, OutputFormat format) {
  CO_TRY(const http::Response response, co_await context.api.get("/status"));
  const bool is_available = response.head.status == http::status::kOk;
  if (!is_available && response.head.status != http::status::kUnavailable)
    co_return fail(error_of(response));
  const Result<json::value> parsed = json::parse(response.body);
  const json::object* body = parsed ? parsed->if_object() : nullptr;
  if (body == nullptr || body->find("status") == body->end()) co_return fail(error_of(response));
  CO_TRY(const int printed,
         print(format == OutputFormat::Table ? cluster_table(*body) : format_as(format, *parsed)));
  co_return is_available ? printed : kRemoteFailure;
}

net::Task<Result<int>> run_describe(Context& context, WorkloadName name, OutputFormat format) {
  CO_TRY(const workload::WorkloadRef workload, co_await look_up(context, name));
  Result<json::object> status = co_await context.api.get_object(path_of(workload, "status"));
  if (!status) {
    Error error = co_await explain(context, workload, status.error());
    co_return fail(std::move(error));
  }
  json::object whole = *std::move(status);
  // A server without this path still has a status to show.
  const Result<json::object> pods = co_await context.api.get_object(path_of(workload, "pods"));
  if (format == OutputFormat::Table) {
    co_return print(describe_text(whole, pods ? *pods : json::object()));
  }
  // The status has counts under this name.
  if (pods) whole["podList"] = list_of(*pods, "pods");
  co_return print(format_as(format, json::value(whole)));
}

}  // namespace sluice::cli
