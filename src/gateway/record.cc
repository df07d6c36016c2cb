#include "gateway/record.h"

#include <chrono>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sluice::gateway {
namespace {

/// "2026-01-02T030405Z-0123456789abcdef.cast": nothing in it comes from a client.
std::string file_name(WallTime now, const std::string& id) {
  return fmt::format("{:%Y-%m-%dT%H%M%S}Z-{}.cast", std::chrono::floor<seconds>(now), id);
}

recording::Header header_of(const Services& services, const SessionSubject& subject,
                            const backend::StreamOptions& streams) {
  const backend::TerminalSize size = streams.size.value_or(backend::TerminalSize{});
  const workload::ContainerRef& container = subject.container;
  recording::Header header;
  header.width = size.width;
  header.height = size.height;
  const WallTime now = services.timers.wall_now();
  header.timestamp = std::chrono::floor<seconds>(now).time_since_epoch().count();
  header.command =
      fmt::format("{}", fmt::join(audited_command(services.settings, subject.command), " "));
  header.title = fmt::format("{} by {}: {}/{}, pod {}, container {}", to_string(subject.kind),
                             subject.user, container.workload.project, container.workload.name,
                             container.pod.name, container.container);
  return header;
}

session::SessionEnd end_for(const Error& failure) {
  session::SessionEnd end;
  end.kind = session::SessionEndKind::RecordingFailed;
  end.reason = failure.message;
  return end;
}

}  // namespace

net::Task<Result<>> begin_recording(const Services& services, const auth::Caller& caller,
                                    workload::Verb verb, const backend::StreamOptions& streams,
                                    UpgradedSession& session) {
  if (services.recordings == nullptr) co_return Result<>{};
  SessionSubject& subject = session.subject;
  const std::string& project = subject.container.workload.project;
  if (!services.recordings->rules.allows(caller, verb, project)) co_return Result<>{};
  subject.recording = file_name(services.timers.wall_now(), subject.id);
  recording::Subject recorded;
  recorded.file_name = subject.recording;
  recorded.user = subject.user;
  recorded.header = header_of(services, subject, streams);
  CO_TRY(session.recording,
         co_await recording::Recording::begin(*services.recordings->recorder, std::move(recorded),
                                              services.timers));
  co_return Result<>{};
}

void start_recording(UpgradedSession& session) {
  if (session.recording) session.recording->start();
}

void watch_recording(UpgradedSession& session, session::Interruption& interruption) {
  if (!session.recording) return;
  session.recording->on_failure(
      [&interruption](const Error& failure) { interruption.interrupt(end_for(failure)); });
}

net::Task<> finish_recording(UpgradedSession& session, SessionOutcome& outcome) {
  if (!session.recording) co_return;
  std::string remark = fmt::format("session ended: {}", outcome.close_code);
  if (!outcome.reason.empty()) remark += " " + outcome.reason;
  const std::optional<Error> problem = co_await session.recording->finish(std::move(remark));
  if (problem) outcome.recording_problem = problem->message;
}

}  // namespace sluice::gateway
