#include "gateway/audit.h"

#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace sluice::gateway {
namespace {

double to_seconds(nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

json::object begin_line(const Services& services, std::string_view event) {
  return {{"time", format_rfc3339_nano(services.timers.wall_now())}, {"event", event}};
}

void add(json::object& line, std::string_view name, std::string_view value) {
  if (!value.empty()) line[name] = value;
}

void add_list(json::object& line, std::string_view name, const std::vector<std::string>& values) {
  json::array& list = line[name].emplace_array();
  for (const std::string& value : values) list.emplace_back(value);
}

json::object session_line(const Services& services, std::string_view event,
                          const SessionSubject& subject) {
  const workload::ContainerRef& container = subject.container;
  const workload::WorkloadRef& workload = container.workload;
  json::object line = begin_line(services, event);
  line["session"] = subject.id;
  line["verb"] = to_string(subject.kind);
  line["user"] = subject.user;
  add_list(line, "groups", subject.groups);
  line["source"] = subject.peer;
  line["project"] = workload.project;
  if (!workload.name.empty()) {
    line["type"] = workload::to_string(workload.type);
    line["framework"] = workload::to_string(workload.framework);
    line["workload"] = workload.name;
    line["pod"] = container.pod.name;
    line["container"] = container.container;
  }
  const auto command = audited_command(services.settings, subject.command);
  if (!command.empty()) add_list(line, "command", command);
  add(line, "recording", subject.recording);
  return line;
}

void write(const Services& services, const json::object& line) {
  services.audit->write(json::serialize(line));
}

}  // namespace

void audit_request(const Services& services, const Exchange& exchange, unsigned status,
                   nanoseconds latency, const Error* error) {
  if (services.audit == nullptr) return;
  json::object line = begin_line(services, "request");
  // The query stays out: it may hold a command or, wrongly, a token.
  line["method"] = exchange.head.method;
  line["path"] = exchange.head.path;
  line["endpoint"] = to_string(exchange.route.endpoint);
  add(line, "user", exchange.user);
  if (!exchange.user.empty()) add_list(line, "groups", exchange.groups);
  line["source"] = exchange.peer;
  line["status"] = status;
  line["seconds"] = to_seconds(latency);
  if (error != nullptr) add(line, "message", error->message);
  write(services, line);
}

void audit_session_begin(const Services& services, const SessionSubject& subject) {
  if (services.audit == nullptr) return;
  write(services, session_line(services, "session begin", subject));
}

void audit_session_end(const Services& services, const SessionSubject& subject,
                       const SessionOutcome& outcome) {
  if (services.audit == nullptr) return;
  json::object line = session_line(services, "session end", subject);
  if (outcome.exit_code) line["exitCode"] = *outcome.exit_code;
  line["closeCode"] = outcome.close_code;
  line["reason"] = outcome.reason;
  line["seconds"] = to_seconds(outcome.duration);
  line["receivedBytes"] = outcome.received_bytes;
  line["sentBytes"] = outcome.sent_bytes;
  add(line, "recordingProblem", outcome.recording_problem);
  write(services, line);
}

std::vector<std::string> audited_command(const Settings& settings,
                                         const std::vector<std::string>& command) {
  if (command.empty()) return {};
  switch (settings.audited_commands) {
    case AuditedCommands::Full: return command;
    case AuditedCommands::Program: return {command.front()};
    case AuditedCommands::None: return {};
  }
  std::unreachable();
}

}  // namespace sluice::gateway
