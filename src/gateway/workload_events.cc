#include "gateway/workload_events.h"

#include <utility>

#include "base/json.h"
#include "gateway/list_request.h"
#include "gateway/status_response.h"

namespace sluice::gateway {
namespace {

std::string line(const json::object& event) { return json::serialize(event) + "\n"; }

std::string event_of(std::string_view event, const workload::WorkloadStatus& workload) {
  return line({{"event", event}, {"workload", workload_entry(workload)}});
}

}  // namespace

std::string WorkloadEvents::take(std::vector<workload::WorkloadStatus> now) {
  std::string lines;
  auto before = told_.cbegin();
  for (const workload::WorkloadStatus& workload : now) {
    while (before != told_.cend() && list_key(*before) < list_key(workload)) {
      lines += event_of("DELETED", *before++);
    }
    if (before == told_.cend() || list_key(workload) < list_key(*before)) {
      lines += event_of("ADDED", workload);
    } else if (*before++ != workload) {
      lines += event_of("MODIFIED", workload);
    }
  }
  while (before != told_.cend()) lines += event_of("DELETED", *before++);
  told_ = std::move(now);
  if (!std::exchange(synced_, true)) lines += line({{"event", "SYNCED"}});
  return lines;
}

std::string heartbeat_event() { return line({{"event", "HEARTBEAT"}}); }

std::string end_event(unsigned code, std::string_view message) {
  return line({{"event", "END"}, {"code", code}, {"message", message}});
}

}  // namespace sluice::gateway
