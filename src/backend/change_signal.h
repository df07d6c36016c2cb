// ChangeSignal: wakes those who watch something (a project, a namespace) after another thread has
// changed it. It carries no news: who is woken looks for itself at what there is now, so that many
// changes are one wake-up and nothing queues.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "net/event.h"
#include "net/task.h"

namespace sluice::backend {

/// One watcher; belongs to the loop it was made on.
class ChangeWatch {
 public:
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;
  ~ChangeWatch();

  /// Completes after a change since it last completed, or since the watch was made; sometimes
  /// without. Errors: Cancelled.
  net::Task<Result<>> changed() { return event_.wait(); }

 private:
  friend class ChangeSignal;
  struct Shared;
  ChangeWatch(std::shared_ptr<Shared> shared, net::Executor executor);

  std::shared_ptr<Shared> shared_;  // owners: this, and wake-ups that are under way
  net::Event event_;
};

/// Any thread.
class ChangeSignal {
 public:
  ChangeSignal() = default;
  ChangeSignal(const ChangeSignal&) = delete;
  ChangeSignal& operator=(const ChangeSignal&) = delete;

  /// On the loop of `executor`.
  std::unique_ptr<ChangeWatch> watch(const std::string& subject, net::Executor executor);
  void notify(const std::string& subject);
  /// As notify() of every subject.
  void notify_all();

 private:
  using Watches = std::unordered_multimap<std::string, std::weak_ptr<ChangeWatch::Shared>>;
  void notify(Watches::iterator first, Watches::iterator last);

  std::mutex mutex_;
  Watches watches_;  // by subject
};

}  // namespace sluice::backend
