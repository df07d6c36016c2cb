#include "backend/kubernetes/cache/pod_watch.h"

#include <vector>

#include "net/event_loop.h"

namespace sluice::backend::kubernetes {

struct PodWatch::Shared {
  Shared(std::shared_ptr<const PodRecord> record, net::Executor loop)
      : pod(std::move(record)), executor(loop) {}

  std::mutex mutex;
  std::shared_ptr<const PodRecord> pod;  // under the mutex
  net::Executor executor;
  net::Event* event = nullptr;  // of the watch while that lives; touched by its loop only
};

PodWatch::PodWatch(std::shared_ptr<Shared> shared)
    : shared_(std::move(shared)), event_(shared_->executor) {
  shared_->event = &event_;
}

PodWatch::~PodWatch() { shared_->event = nullptr; }

std::shared_ptr<const PodRecord> PodWatch::current() const {
  const std::scoped_lock lock(shared_->mutex);
  return shared_->pod;
}

net::Task<Result<>> PodWatch::changed() { return event_.wait(); }

std::unique_ptr<PodWatch> PodWatchRegistry::watch(std::shared_ptr<const PodRecord> pod,
                                                  net::Executor executor) {
  const std::string uid = pod->uid;
  auto shared = std::make_shared<PodWatch::Shared>(std::move(pod), executor);
  const std::scoped_lock lock(mutex_);
  // Watches that have ended since are cleared away where the next one is made.
  const auto [first, last] = watches_.equal_range(uid);
  for (auto entry = first; entry != last;) {
    entry = entry->second.expired() ? watches_.erase(entry) : std::next(entry);
  }
  watches_.emplace(uid, shared);
  return std::unique_ptr<PodWatch>(new PodWatch(std::move(shared)));
}

void PodWatchRegistry::publish(const std::string& uid,
                               const std::shared_ptr<const PodRecord>& pod) {
  std::vector<std::shared_ptr<PodWatch::Shared>> watches;
  {
    const std::scoped_lock lock(mutex_);
    const auto [first, last] = watches_.equal_range(uid);
    for (auto entry = first; entry != last; ++entry) {
      if (auto watch = entry->second.lock()) watches.push_back(std::move(watch));
    }
    if (pod == nullptr) watches_.erase(first, last);
  }
  for (const auto& watch : watches) {
    {
      const std::scoped_lock lock(watch->mutex);
      watch->pod = pod;
    }
    net::post(watch->executor, [watch] {
      if (watch->event != nullptr) watch->event->notify();
    });
  }
}

}  // namespace sluice::backend::kubernetes
