// What the tests of both log streams read: lines that count, of a pod that runs.
#pragma once

#include <string>

#include <fmt/format.h>

#include "backend/kubernetes/cache/records.h"

namespace sluice::backend::kubernetes {

/// The lines from `first` to `last` as a session gets them: without stamps.
inline std::string texts(int first, int last) {
  std::string text;
  for (int n = first; n <= last; ++n) text += fmt::format("line {}\n", n);
  return text;
}

/// Pod train-0 of namespace team, whose one container "main" runs.
inline PodRecord running_pod() {
  ContainerRecord container;
  container.name = "main";
  container.state = ContainerState::Running;
  container.container_id = "containerd://1";
  PodRecord pod;
  pod.namespace_name = "team";
  pod.name = "train-0";
  pod.uid = "u1";
  pod.node = "node";
  pod.phase = PodPhase::Running;
  pod.containers.push_back(container);
  return pod;
}

}  // namespace sluice::backend::kubernetes
