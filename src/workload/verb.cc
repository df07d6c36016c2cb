#include "workload/verb.h"

#include <utility>

namespace sluice::workload {

std::string_view to_string(Verb verb) {
  switch (verb) {
    case Verb::Status: return "status";
    case Verb::Logs: return "logs";
    case Verb::Exec: return "exec";
    case Verb::Attach: return "attach";
    case Verb::PortForward: return "port-forward";
  }
  std::unreachable();
}

std::optional<Verb> parse_verb(std::string_view text) {
  for (const Verb verb : {Verb::Status, Verb::Logs, Verb::Exec, Verb::Attach, Verb::PortForward}) {
    if (text == to_string(verb)) return verb;
  }
  return std::nullopt;
}

}  // namespace sluice::workload
