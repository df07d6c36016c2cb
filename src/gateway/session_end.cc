#include "gateway/session_end.h"

#include "observe/log.h"

namespace sluice::gateway {
namespace {

void log_session_end(const SessionSubject& subject, const SessionOutcome& outcome) {
  const workload::WorkloadRef& workload = subject.container.workload;
  std::vector<LogField> fields{{"verb", to_string(subject.kind)},
                               {"user", subject.user},
                               {"peer", subject.peer},
                               {"project", workload.project}};
  // A watch is of no workload, and no WebSocket.
  if (subject.kind != SessionKind::Watch) {
    fields.insert(fields.end(), {{"type", workload::to_string(workload.type)},
                                 {"framework", workload::to_string(workload.framework)},
                                 {"workload", workload.name},
                                 {"pod", subject.container.pod.name},
                                 {"container", subject.container.container},
                                 {"received_bytes", outcome.received_bytes},
                                 {"lines", outcome.lines},
                                 {"close_code", outcome.close_code}});
  }
  fields.insert(fields.end(), {{"seconds", to_seconds(outcome.duration)},
                               {"sent_bytes", outcome.sent_bytes},
                               {"reason", outcome.reason}});
  log(LogLevel::Info, "session ended", fields);
}

}  // namespace

void record_session_end(const Services& services, const SessionSubject& subject,
                        const SessionOutcome& outcome) {
  SessionRecord record;
  record.kind = subject.kind;
  record.duration = outcome.duration;
  record.lines = outcome.lines;
  record.close_code = outcome.close_code;
  services.metrics.session_ended(record);
  log_session_end(subject, outcome);
  audit_session_end(services, subject, outcome);
}

}  // namespace sluice::gateway
