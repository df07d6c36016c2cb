#include "backend/kubernetes/streams/stdin_holds.h"

#include <utility>

namespace sluice::backend::kubernetes {

StdinHold::StdinHold(StdinHolds& holds, std::string container_id)
    : holds_(holds), container_id_(std::move(container_id)) {}

StdinHold::~StdinHold() {
  const std::scoped_lock lock(holds_.mutex_);
  holds_.held_.erase(container_id_);
}

std::unique_ptr<StdinHold> StdinHolds::take(const std::string& container_id) {
  const std::scoped_lock lock(mutex_);
  if (!held_.insert(container_id).second) return nullptr;
  return std::unique_ptr<StdinHold>(new StdinHold(*this, container_id));
}

}  // namespace sluice::backend::kubernetes
