#include "cli/logs/log_sources.h"

#include <algorithm>

#include "cli/logs/start_wait.h"

namespace sluice::cli {
namespace {

using json::list_of;
using json::text_of;

LogSource source_of(const json::object& pod, const json::object& container) {
  return {.pod = text_of(pod, "name"),
          .container = text_of(container, "name"),
          .pod_created = text_of(pod, "createdAt"),
          .label = {},
          .restarts = json::find_int64(container, "restarts").value_or(0),
          .has_started = has_started(container),
          .started = text_of(container, "startedAt"),
          .reason = text_of(container, "reason")};
}

}  // namespace

std::vector<LogSource> log_sources(const json::object& pods, const std::string& container) {
  std::vector<LogSource> sources;
  std::size_t most_in_a_pod = 0;
  for (const json::value& value : list_of(pods, "pods")) {
    const json::object* pod = value.if_object();
    if (pod == nullptr) continue;
    const std::size_t before = sources.size();
    for (const json::value& one : list_of(*pod, "containers")) {
      const json::object* object = one.if_object();
      const bool is_wanted =
          object != nullptr && (container.empty() || text_of(*object, "name") == container);
      if (is_wanted) sources.push_back(source_of(*pod, *object));
    }
    most_in_a_pod = std::max(most_in_a_pod, sources.size() - before);
  }
  for (LogSource& source : sources) {
    source.label = most_in_a_pod > 1 ? source.pod + "/" + source.container : source.pod;
  }
  return sources;
}

bool have_ended(const json::object& pods) {
  const json::array& all = list_of(pods, "pods");
  return !all.empty() && std::ranges::all_of(all, [](const json::value& value) {
    const json::object* pod = value.if_object();
    const std::string phase = pod != nullptr ? text_of(*pod, "phase") : "";
    return phase == "Succeeded" || phase == "Failed";
  });
}

}  // namespace sluice::cli
