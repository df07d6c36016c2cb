#include "backend/kubernetes/logs/container_run.h"

namespace sluice::backend::kubernetes {

RunState ContainerRun::state(const PodRecord* pod) {
  if (pod == nullptr) return RunState::PodGone;
  const bool pod_has_ended = pod->phase == PodPhase::Succeeded || pod->phase == PodPhase::Failed;
  const ContainerRecord* const record = pod->find_container(container_);
  const bool is_named = record != nullptr && !record->container_id.empty();
  if (id_.empty()) {
    const bool has_ended = record != nullptr && record->state == ContainerState::Terminated;
    if (!is_named) return pod_has_ended || has_ended ? RunState::Ended : RunState::NotBegun;
    id_ = record->container_id;
    restarts_ = record->restarts;
  }
  if (is_named && record->container_id != id_) {
    return record->restarts > restarts_ + 1 ? RunState::Forgotten : RunState::Replaced;
  }
  const bool runs = record != nullptr && record->state == ContainerState::Running;
  return runs && !pod_has_ended ? RunState::Running : RunState::Ended;
}

}  // namespace sluice::backend::kubernetes
