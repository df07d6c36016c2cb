// sluice port-forward: local ports, or stdin and stdout, that lead to ports of a pod.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/cluster/context.h"
#include "cli/cluster/workload_name.h"

namespace sluice::cli {

struct PortMapping {
  std::uint16_t local = 0;  // 0: any that is free
  std::uint16_t remote = 0;
  bool operator==(const PortMapping&) const = default;
};

/// "8888" (the same at both ends), "9999:8888", ":8888" (any local one). Errors: InvalidArgument.
Result<PortMapping> parse_port_mapping(std::string_view text);

struct PortForwardOptions {
  TargetOptions target;
  std::vector<PortMapping> ports;
  std::string address = "127.0.0.1";  // where to listen: a literal
  std::uint16_t stdio = 0;            // not 0: this port at stdin and stdout, and no others
};

/// Until a signal ends it; with `stdio` until the connection ends. Each connection finds the
/// workload's pod anew, and fails alone.
net::Task<Result<int>> run_port_forward(Context& context, WorkloadName name,
                                        PortForwardOptions options);

}  // namespace sluice::cli
