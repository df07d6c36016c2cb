#include "backend/kubernetes/logs/pod_log.h"

#include <array>
#include <memory>

#include <fmt/format.h>

namespace sluice::backend::kubernetes {
namespace {

/// Its node is no more: before the garbage collector of pods deletes such a pod it has it fail,
/// while what the node said last stands (pkg/controller/podgc, markFailedAndDeletePod).
bool is_given_up(const PodRecord& pod, std::string_view container) {
  const ContainerRecord* const record = pod.find_container(container);
  return pod.phase == PodPhase::Failed && record != nullptr &&
         record->state == ContainerState::Running;
}

}  // namespace

std::span<LogPiece> log_piece_scratch() {
  thread_local const auto pieces = std::make_unique<std::array<LogPiece, 8192>>();
  return *pieces;
}

ApiRequest log_request(const PodRecord& pod, std::string_view container, std::string_view query,
                       std::optional<Impersonation> as) {
  ApiRequest request;
  request.path = fmt::format("/api/v1/namespaces/{}/pods/{}/log", pod.namespace_name, pod.name);
  request.query = fmt::format("container={}&{}", container, query);
  request.accept = "*/*";
  request.as = std::move(as);
  return request;
}

EndOfLog end_of_log(bool follow, bool previous, const PodRecord* pod, std::string_view container) {
  if (!follow) return kEndOfLogs;
  if (!previous && (pod == nullptr || pod->deleting || is_given_up(*pod, container))) {
    return kPodDeleted;
  }
  return kContainerEnded;
}

}  // namespace sluice::backend::kubernetes
