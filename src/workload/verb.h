// What a caller may do to the workloads of a project.
#pragma once

#include <optional>
#include <string_view>

namespace sluice::workload {

enum class Verb { Status, Logs, Exec, Attach, PortForward };

/// As written in policies and paths: "port-forward".
std::string_view to_string(Verb verb);
std::optional<Verb> parse_verb(std::string_view text);

}  // namespace sluice::workload
