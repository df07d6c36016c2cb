#include "gateway/audit.h"

#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"

namespace sluice::gateway {
namespace {

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

void add_container(json::object& line, const workload::ContainerRef& container) {
  const workload::WorkloadRef& workload = container.workload;
  line["project"] = workload.project;
  if (workload.name.empty()) return;  // a watch's
  line["type"] = workload::to_string(workload.type);
  line["framework"] = workload::to_string(workload.framework);
  line["workload"] = workload.name;
  line["pod"] = container.pod.name;
  line["container"] = container.container;
}

void add_command(json::object& line, const Settings& settings,
                 const std::vector<std::string>& command) {
  const auto audited = audited_command(settings, command);
  if (!audited.empty()) add_list(line, "command", audited);
}

json::object session_line(const Services& services, std::string_view event,
                          const SessionSubject& subject) {
  json::object line = begin_line(services, event);
  line["session"] = subject.id;
  line["verb"] = to_string(subject.kind);
  line["user"] = subject.user;
  add_list(line, "groups", subject.groups);
  line["source"] = subject.peer;
  add_container(line, subject.container);
  add_command(line, services.settings, subject.command);
  add(line, "recording", subject.recording);
  return line;
}

void write(const Services& services, const json::object& line) {
  services.audit->write(json::serialize(line));
}

}  // namespace

void audit_request(const Services& services, const Exchange& exchange,
                   std::optional<unsigned> status, nanoseconds latency, const Error* error) {
  if (services.audit == nullptr) return;
  if (exchange.user.empty() && !services.audit->strangers().take(services.timers)) return;
  json::object line = begin_line(services, "request");
  // The query stays out: it may hold a command or, wrongly, a token.
  line["method"] = recorded_text(exchange.head.method);
  line["path"] = recorded_text(exchange.head.path);
  line["endpoint"] = to_string(exchange.route.endpoint);
  add(line, "user", exchange.user);
  if (!exchange.user.empty()) add_list(line, "groups", exchange.groups);
  line["source"] = exchange.peer;
  if (exchange.container) add_container(line, *exchange.container);
  add_command(line, services.settings, exchange.command);
  if (status) line["status"] = *status;
  line["seconds"] = to_seconds(latency);
  if (error != nullptr) add(line, "message", recorded_text(error->message));
  write(services, line);
}

void audit_bad_request(const Services& services, const std::string& peer, unsigned status,
                       const Error& error) {
  if (services.audit == nullptr || !services.audit->strangers().take(services.timers)) return;
  json::object line = begin_line(services, "request");
  line["source"] = peer;
  line["status"] = status;
  add(line, "message", recorded_text(error.message));
  write(services, line);
}

void audit_unrecorded(const Services& services) {
  if (services.audit == nullptr) return;
  const auto unrecorded = services.audit->strangers().take_unrecorded();
  if (!unrecorded) return;
  services.metrics.requests_unrecorded(unrecorded->count);
  json::object line = begin_line(services, "requests unrecorded");
  line["count"] = unrecorded->count;
  line["first"] = format_rfc3339_nano(unrecorded->first);
  line["last"] = format_rfc3339_nano(unrecorded->last);
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

std::string recorded_text(std::string_view text) {
  constexpr std::size_t kLimit = 512;
  if (text.size() <= kLimit) return std::string(text);
  return fmt::format("{}... (cut: {} bytes)", truncate_utf8(text, kLimit), text.size());
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
