// ContainerRun: one run of a container, whose log is read, and what the pod's newest record says of
// it: another run may have taken its place, and the API reads the log of whichever is current.
#pragma once

#include <string>

#include "backend/kubernetes/cache/records.h"

namespace sluice::backend::kubernetes {

enum class RunState {
  NotBegun,
  Running,
  Ended,      // its log is the container's current one, until the next run begins
  Replaced,   // its log is the previous one
  Forgotten,  // the cluster keeps its log no more
  PodGone,
};

class ContainerRun {
 public:
  explicit ContainerRun(std::string container) : container_(std::move(container)) {}

  /// By the pod's newest record; null: it is gone. The first run that is seen is the one that is
  /// meant.
  RunState state(const PodRecord* pod);

  /// Its name.
  const std::string& container() const { return container_; }

 private:
  std::string container_;
  std::string id_;  // empty: not seen yet
  int restarts_ = 0;
};

}  // namespace sluice::backend::kubernetes
