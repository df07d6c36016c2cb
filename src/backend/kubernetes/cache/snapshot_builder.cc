#include "backend/kubernetes/cache/snapshot_builder.h"

#include <algorithm>

namespace sluice::backend::kubernetes {

void SnapshotBuilder::put_namespace(const std::string& name, std::string project) {
  NamespaceSnapshot& content = edit(name);
  content.exists = true;
  content.project = std::move(project);
}

void SnapshotBuilder::remove_namespace(const std::string& name) {
  NamespaceSnapshot& content = edit(name);
  content.exists = false;
  content.project.clear();
  drop_if_empty(name);
}

void SnapshotBuilder::put_pod(std::shared_ptr<const PodRecord> pod) {
  NamespaceSnapshot& content = edit(pod->namespace_name);
  const auto at = content.pods.begin() + (content.position_of(pod->name) - content.pods.cbegin());
  if (at != content.pods.end() && (*at)->name == pod->name) {
    *at = std::move(pod);
  } else {
    content.pods.insert(at, std::move(pod));
  }
}

void SnapshotBuilder::remove_pod(const std::string& namespace_name, const std::string& name) {
  NamespaceSnapshot& content = edit(namespace_name);
  const auto at = content.position_of(name);
  if (at != content.pods.end() && (*at)->name == name) content.pods.erase(at);
  drop_if_empty(namespace_name);
}

void SnapshotBuilder::put_workload(const std::string& namespace_name,
                                   std::shared_ptr<const WorkloadRecord> workload) {
  NamespaceSnapshot& content = edit(namespace_name);
  const std::string uid = workload->uid;
  content.workloads.insert_or_assign(uid, std::move(workload));
}

void SnapshotBuilder::remove_workload(const std::string& namespace_name, const std::string& uid) {
  edit(namespace_name).workloads.erase(uid);
  drop_if_empty(namespace_name);
}

void SnapshotBuilder::put_owners(const std::string& namespace_name, const std::string& uid,
                                 std::vector<std::string> owners) {
  NamespaceSnapshot& content = edit(namespace_name);
  if (owners.empty()) {
    content.owners.erase(uid);
    drop_if_empty(namespace_name);
  } else {
    content.owners.insert_or_assign(uid, std::move(owners));
  }
}

void SnapshotBuilder::report(const std::string& resource, WatchState state, std::string message) {
  const auto known = std::ranges::find(resources_, resource, &WatchedResource::name);
  WatchedResource& entry =
      known != resources_.end() ? *known : resources_.emplace_back(WatchedResource{resource});
  changes_.resources = true;
  entry.state = state;
  entry.message = std::move(message);
  if (state == WatchState::Current) entry.is_listed = true;
  if (state == WatchState::Missing || state == WatchState::Absent) entry.is_listed = false;
}

std::shared_ptr<const PodRecord> SnapshotBuilder::find_pod(const std::string& namespace_name,
                                                           const std::string& name) const {
  const auto found = namespaces_.find(namespace_name);
  if (found == namespaces_.end()) return nullptr;
  return found->second.content->find_pod(name);
}

std::shared_ptr<const ClusterSnapshot> SnapshotBuilder::publish() {
  auto snapshot = std::make_shared<ClusterSnapshot>();
  snapshot->resources = resources_;
  for (auto& [name, working] : namespaces_) {
    working.published = true;
    snapshot->namespaces.emplace_hint(snapshot->namespaces.end(), name, working.content);
  }
  return snapshot;
}

NamespaceSnapshot& SnapshotBuilder::edit(const std::string& name) {
  changes_.namespaces.insert(name);
  Working& working = namespaces_[name];
  if (working.content == nullptr) {
    working.content = std::make_shared<NamespaceSnapshot>();
    working.content->name = name;
  } else if (working.published) {
    working.content = std::make_shared<NamespaceSnapshot>(*working.content);
  }
  working.published = false;
  return *working.content;
}

void SnapshotBuilder::drop_if_empty(const std::string& name) {
  const auto found = namespaces_.find(name);
  const NamespaceSnapshot& content = *found->second.content;
  if (content.exists || !content.pods.empty() || !content.workloads.empty() ||
      !content.owners.empty()) {
    return;
  }
  namespaces_.erase(found);
}

}  // namespace sluice::backend::kubernetes
