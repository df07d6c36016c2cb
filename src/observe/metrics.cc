#include "observe/metrics.h"

#include <array>
#include <atomic>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "observe/log.h"
#include "observe/task_count.h"

namespace sluice {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;

template <typename Label>
constexpr std::size_t kCountOf = static_cast<std::size_t>(Label::kCount);

constexpr std::array<unsigned, 16> kStatuses = {101, 200, 400, 401, 403, 404, 405, 409,
                                                413, 426, 429, 431, 500, 503, 504, 0};
constexpr std::array<unsigned, 10> kCloseCodes = {1000, 1001, 1002, 1003, 1005,
                                                  1006, 1007, 1008, 1009, 1011};

/// The index of `value`; the last one stands for all others.
template <std::size_t Size>
std::size_t index_of(const std::array<unsigned, Size>& values, unsigned value) {
  for (std::size_t i = 0; i + 1 < Size; ++i) {
    if (values[i] == value) return i;
  }
  return Size - 1;
}

std::string_view to_string(FetchOutcome outcome) {
  switch (outcome) {
    case FetchOutcome::Succeeded: return "succeeded";
    case FetchOutcome::Failed: return "failed";
    case FetchOutcome::kCount: break;
  }
  std::unreachable();
}

/// One metric for each value of a label, all of them shown from the start, found without a lookup.
template <typename Metric, typename Label>
class ByLabel {
 public:
  template <typename... Arguments>
  ByLabel(Family<Metric>& family, const std::string& label, const Arguments&... arguments) {
    for (std::size_t i = 0; i < metrics_.size(); ++i) {
      const Labels labels{{label, std::string(to_string(static_cast<Label>(i)))}};
      metrics_[i] = &family.Add(labels, arguments...);
    }
  }
  Metric& operator[](Label label) const { return *metrics_[static_cast<std::size_t>(label)]; }

 private:
  std::array<Metric*, kCountOf<Label>> metrics_{};
};

/// A counter for each pair of a label's value and a number, made when it first counts.
template <typename Label, std::size_t Size>
class ByNumber {
 public:
  ByNumber(Family<Counter>& family, std::string label, std::string number_label,
           const std::array<unsigned, Size>& numbers)
      : family_(family),
        label_(std::move(label)),
        number_label_(std::move(number_label)),
        numbers_(numbers) {}

  void increment(Label label, unsigned number) {
    const std::size_t index = index_of(numbers_, number);
    std::atomic<Counter*>& slot = counters_[static_cast<std::size_t>(label)][index];
    Counter* counter = slot.load(std::memory_order_acquire);
    if (counter == nullptr) {
      const bool other = numbers_[index] != number;
      counter = &family_.Add({{label_, std::string(to_string(label))},
                              {number_label_, other ? "other" : std::to_string(number)}});
      slot.store(counter, std::memory_order_release);  // Add() returns the same one to all who race
    }
    counter->Increment();
  }

 private:
  Family<Counter>& family_;
  std::string label_;
  std::string number_label_;
  const std::array<unsigned, Size>& numbers_;
  std::array<std::array<std::atomic<Counter*>, Size>, kCountOf<Label>> counters_{};
};

Family<Counter>& counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Family<Gauge>& gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

Family<Histogram>& histogram(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

const Histogram::BucketBoundaries kLatencySeconds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
const Histogram::BucketBoundaries kDurationSeconds = {0.1,  1,    10,    60,   300,
                                                      1800, 3600, 21600, 86400};

}  // namespace

std::string_view to_string(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::ClusterStatus: return "cluster-status";
    case Endpoint::Workloads: return "workloads";
    case Endpoint::WorkloadStatus: return "status";
    case Endpoint::Pods: return "pods";
    case Endpoint::Logs: return "logs";
    case Endpoint::LogDownload: return "logs-download";
    case Endpoint::Exec: return "exec";
    case Endpoint::Attach: return "attach";
    case Endpoint::PortForward: return "port-forward";
    case Endpoint::Unknown: return "unknown";
    case Endpoint::kCount: break;
  }
  std::unreachable();
}

std::string_view to_string(SessionKind kind) {
  switch (kind) {
    case SessionKind::Logs: return "logs";
    case SessionKind::Exec: return "exec";
    case SessionKind::Attach: return "attach";
    case SessionKind::PortForward: return "port-forward";
    case SessionKind::Watch: return "watch";
    case SessionKind::kCount: break;
  }
  std::unreachable();
}

std::string_view to_string(AuthenticationFailure reason) {
  switch (reason) {
    case AuthenticationFailure::MissingToken: return "missing-token";
    case AuthenticationFailure::Malformed: return "malformed";
    case AuthenticationFailure::Expired: return "expired";
    case AuthenticationFailure::NotYetValid: return "not-yet-valid";
    case AuthenticationFailure::UnknownIssuer: return "unknown-issuer";
    case AuthenticationFailure::WrongAudience: return "wrong-audience";
    case AuthenticationFailure::BadSignature: return "bad-signature";
    case AuthenticationFailure::Other: return "other";
    case AuthenticationFailure::kCount: break;
  }
  std::unreachable();
}

std::string_view to_string(Limit limit) {
  switch (limit) {
    case Limit::Connections: return "connections";
    case Limit::Sessions: return "sessions";
    case Limit::SessionsPerUser: return "sessions-per-user";
    case Limit::BufferedBytes: return "buffered-bytes";
    case Limit::UpgradeRate: return "upgrade-rate";
    case Limit::UpgradeRatePerUser: return "upgrade-rate-per-user";
    case Limit::HeaderSize: return "header-size";
    case Limit::BodySize: return "body-size";
    case Limit::MessageSize: return "message-size";
    case Limit::kCount: break;
  }
  std::unreachable();
}

struct Metrics::Families {
  prometheus::Registry registry;

  ByNumber<Endpoint, kStatuses.size()> requests{
      counter(registry, "sluice_requests_total",
              "Answered requests, upgrades included (status 101)"),
      "endpoint", "status", kStatuses};
  ByLabel<Histogram, Endpoint> latency{
      histogram(registry, "sluice_request_duration_seconds",
                "From a request's head to its answer; for an upgrade: to the 101"),
      "endpoint", kLatencySeconds};
  Gauge& connections =
      gauge(registry, "sluice_connections", "Open client connections, sessions included").Add({});
  ByLabel<Counter, SessionKind> upgrades{
      counter(registry, "sluice_upgrades_total", "Sessions started"), "kind"};
  ByLabel<Gauge, SessionKind> sessions{gauge(registry, "sluice_sessions", "Running sessions"),
                                       "kind"};
  ByLabel<Histogram, SessionKind> durations{
      histogram(registry, "sluice_session_duration_seconds", "How long sessions lasted"), "kind",
      kDurationSeconds};
  ByLabel<Counter, SessionKind> bytes_received{
      counter(registry, "sluice_session_received_bytes_total", "WebSocket bytes from clients"),
      "kind"};
  ByLabel<Counter, SessionKind> bytes_sent{
      counter(registry, "sluice_session_sent_bytes_total", "WebSocket bytes to clients"), "kind"};
  Counter& lines =
      counter(registry, "sluice_log_lines_sent_total", "Log lines sent by sessions that ended")
          .Add({});
  ByNumber<SessionKind, kCloseCodes.size()> closes{
      counter(registry, "sluice_session_closes_total", "Ended sessions by WebSocket close code"),
      "kind", "code", kCloseCodes};
  ByLabel<Counter, AuthenticationFailure> authentication_failures{
      counter(registry, "sluice_authentication_failures_total", "Requests answered with 401"),
      "reason"};
  ByLabel<Counter, Endpoint> authorization_denials{
      counter(registry, "sluice_authorization_denials_total", "Requests answered with 403"),
      "endpoint"};
  ByLabel<Counter, Limit> limit_refusals{
      counter(registry, "sluice_limit_refusals_total", "What was refused because of a limit"),
      "limit"};
  Gauge& buffered_bytes =
      gauge(registry, "sluice_buffered_bytes",
            "Held in buffers of connections and sessions, for slow peers above all")
          .Add({});
  ByLabel<Counter, FetchOutcome> key_fetches{
      counter(registry, "sluice_key_fetches_total", "Fetches of issuers' keys"), "outcome"};
  Counter& restarts = counter(registry, "sluice_local_container_restarts_total",
                              "Containers that the local backend started again")
                          .Add({});
  Gauge& dropped_lines =
      gauge(registry, "sluice_dropped_log_lines", "Lines of the own log lost to a full queue")
          .Add({});
  Gauge& audit_failing =
      gauge(registry, "sluice_audit_failing", "1 while the audit trail can't be written").Add({});
  Gauge& audit_lost =
      gauge(registry, "sluice_audit_lost_lines", "Lines of the audit trail that were lost").Add({});
  Counter& unrecorded_requests =
      counter(registry, "sluice_audit_unrecorded_requests_total",
              "Requests of unknown callers that the audit trail only counts")
          .Add({});
  Gauge& recordings = gauge(registry, "sluice_recordings", "Recordings being written").Add({});
  Counter& failed_recordings = counter(registry, "sluice_recordings_failed_total",
                                       "Recordings that don't have all of their session")
                                   .Add({});
  Counter& recorded_bytes =
      counter(registry, "sluice_recording_bytes_total", "Bytes written to recordings").Add({});
  Gauge& escaped =
      gauge(registry, "sluice_escaped_exceptions", "Exceptions out of tasks: each is a defect")
          .Add({});
  Gauge& tasks = gauge(registry, "sluice_tasks", "Background tasks that run").Add({});
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

void Metrics::request_served(Endpoint endpoint, unsigned status, nanoseconds latency) {
  families_->requests.increment(endpoint, status);
  families_->latency[endpoint].Observe(to_seconds(latency));
}

void Metrics::connection_opened() { families_->connections.Increment(); }

void Metrics::connection_closed() { families_->connections.Decrement(); }

void Metrics::session_started(SessionKind kind) {
  families_->upgrades[kind].Increment();
  families_->sessions[kind].Increment();
}

void Metrics::session_ended(const SessionRecord& session) {
  families_->sessions[session.kind].Decrement();
  families_->durations[session.kind].Observe(to_seconds(session.duration));
  families_->lines.Increment(static_cast<double>(session.lines));
  families_->closes.increment(session.kind, session.close_code);
}

void Metrics::session_bytes(SessionKind kind, std::uint64_t received, std::uint64_t sent) {
  families_->bytes_received[kind].Increment(static_cast<double>(received));
  families_->bytes_sent[kind].Increment(static_cast<double>(sent));
}

void Metrics::authentication_failed(AuthenticationFailure reason) {
  families_->authentication_failures[reason].Increment();
}

void Metrics::authorization_denied(Endpoint endpoint) {
  families_->authorization_denials[endpoint].Increment();
}

void Metrics::limit_reached(Limit limit) { families_->limit_refusals[limit].Increment(); }

void Metrics::keys_fetched(FetchOutcome outcome) { families_->key_fetches[outcome].Increment(); }

void Metrics::container_restarted() { families_->restarts.Increment(); }

void Metrics::audit_state(bool failing, std::uint64_t lost_lines) {
  families_->audit_failing.Set(failing ? 1 : 0);
  families_->audit_lost.Set(static_cast<double>(lost_lines));
}

void Metrics::requests_unrecorded(std::uint64_t count) {
  families_->unrecorded_requests.Increment(static_cast<double>(count));
}

void Metrics::bytes_buffered(std::size_t bytes) {
  families_->buffered_bytes.Set(static_cast<double>(bytes));
}

void Metrics::recording_opened() { families_->recordings.Increment(); }

void Metrics::recording_closed() { families_->recordings.Decrement(); }

void Metrics::recording_failed() { families_->failed_recordings.Increment(); }

void Metrics::recording_bytes(std::uint64_t written) {
  families_->recorded_bytes.Increment(static_cast<double>(written));
}

std::string Metrics::exposition() const {
  families_->dropped_lines.Set(static_cast<double>(dropped_log_lines()));
  families_->escaped.Set(static_cast<double>(escaped_exception_count()));
  families_->tasks.Set(static_cast<double>(running_task_count()));
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace sluice
