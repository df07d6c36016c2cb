// Any request target: the router and the queries of all verbs must take it or refuse it, nothing
// else.
#include <cassert>

#include "gateway/exec_request.h"
#include "gateway/log_request.h"
#include "gateway/port_forward_request.h"
#include "gateway/router.h"

using namespace sluice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view target(reinterpret_cast<const char*>(data), size);
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  const gateway::Router router("/cluster-api");
  if (const auto route = router.match("GET", path)) {
    if (const auto workload = gateway::parse_workload(*route)) {
      assert(!workload->project.empty() && workload->name.find('/') == std::string::npos);
    }
  }
  if (mark == std::string_view::npos) return 0;
  const std::string_view query = target.substr(mark + 1);
  const WallTime now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  const auto log = gateway::parse_log_request(query, gateway::LogDelivery::Stream, now);
  assert(!log || !log->options.limit_bytes || *log->options.limit_bytes > 0);
  const auto exec = gateway::parse_exec_request(query, {});
  assert(!exec || !exec->command.empty());
  const auto ports = gateway::parse_port_forward_request(query);
  assert(!ports || (!ports->ports.empty() && ports->ports.size() <= 16));
  return 0;
}
