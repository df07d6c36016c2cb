// PodWatch: what a session knows of its pod while it runs: the newest record, and a wake-up when
// that changes or the pod is gone. The informers feed it from their own thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "backend/kubernetes/cache/records.h"
#include "net/event.h"
#include "net/task.h"

namespace sluice::backend::kubernetes {

/// One session's view of one pod (by uid). Belongs to the loop it was made on.
class PodWatch {
 public:
  PodWatch(const PodWatch&) = delete;
  PodWatch& operator=(const PodWatch&) = delete;
  ~PodWatch();

  /// The newest record; null once the pod is gone.
  std::shared_ptr<const PodRecord> current() const;
  /// Completes after current() has changed; sometimes without. Errors: Cancelled.
  net::Task<Result<>> changed();

 private:
  friend class PodWatchRegistry;
  struct Shared;
  explicit PodWatch(std::shared_ptr<Shared> shared);

  std::shared_ptr<Shared> shared_;  // owners: this, and notifications that are under way
  net::Event event_;
};

/// Who watches which pod. Any thread.
class PodWatchRegistry {
 public:
  PodWatchRegistry() = default;
  PodWatchRegistry(const PodWatchRegistry&) = delete;
  PodWatchRegistry& operator=(const PodWatchRegistry&) = delete;

  /// On the loop of `executor`. What is published from now on is not missed; the caller brings the
  /// watch up to date with what was published before.
  std::unique_ptr<PodWatch> watch(std::shared_ptr<const PodRecord> pod, net::Executor executor);
  /// The newest record of the pod with that uid; null: it is gone.
  void publish(const std::string& uid, const std::shared_ptr<const PodRecord>& pod);

 private:
  std::mutex mutex_;
  std::unordered_multimap<std::string, std::weak_ptr<PodWatch::Shared>> watches_;  // by uid
};

}  // namespace sluice::backend::kubernetes
