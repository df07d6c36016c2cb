#include "cli/workloads/workload_changes.h"

#include <utility>

namespace sluice::cli {
namespace {

std::string key_of(const json::object& workload) {
  std::string key;
  for (const char* name : {"type", "framework", "name"}) key += json::text_of(workload, name) + '/';
  return key;
}

json::object change(std::string_view event, json::object workload) {
  json::object object;
  object["event"] = event;
  object["workload"] = std::move(workload);
  return object;
}

}  // namespace

void WorkloadChanges::begin() {
  for (auto& [key, known] : known_) known.is_confirmed = false;
}

std::vector<json::object> WorkloadChanges::take(const json::object& event) {
  std::vector<json::object> changes;
  const std::string kind = json::text_of(event, "event");
  if (kind == "SYNCED") take_synced(event, changes);
  const json::object* workload = json::find_object(event, "workload");
  if (workload == nullptr) return changes;
  const std::string key = key_of(*workload);
  if (kind == "DELETED") {
    if (known_.erase(key) > 0) changes.push_back(change(kind, *workload));
    return changes;
  }
  const auto [position, is_new] = known_.try_emplace(key);
  Known& known = position->second;
  known.is_confirmed = true;
  if (!is_new && known.workload == *workload) return changes;
  known.workload = *workload;
  changes.push_back(change(is_new ? "ADDED" : "MODIFIED", *workload));
  return changes;
}

/// What has not come again was deleted while there was no connection.
void WorkloadChanges::take_synced(const json::object& event, std::vector<json::object>& changes) {
  for (const auto& [key, known] : known_) {
    if (!known.is_confirmed) changes.push_back(change("DELETED", known.workload));
  }
  std::erase_if(known_, [](const auto& entry) { return !entry.second.is_confirmed; });
  if (!std::exchange(is_synced_, true)) changes.push_back(event);
}

}  // namespace sluice::cli
