#include "backend/change_signal.h"

#include <atomic>

#include "net/event_loop.h"

namespace sluice::backend {

struct ChangeWatch::Shared {
  explicit Shared(net::Executor loop) : executor(loop) {}

  net::Executor executor;
  std::atomic<bool> is_waking = false;  // a wake-up is under way
  net::Event* event = nullptr;          // of the watch while that lives; touched by its loop only
};

ChangeWatch::ChangeWatch(std::shared_ptr<Shared> shared, net::Executor executor)
    : shared_(std::move(shared)), event_(executor) {
  shared_->event = &event_;
}

ChangeWatch::~ChangeWatch() { shared_->event = nullptr; }

std::unique_ptr<ChangeWatch> ChangeSignal::watch(const std::string& subject,
                                                 net::Executor executor) {
  auto shared = std::make_shared<ChangeWatch::Shared>(executor);
  {
    const std::scoped_lock lock(mutex_);
    watches_.emplace(subject, shared);
  }
  return std::unique_ptr<ChangeWatch>(new ChangeWatch(std::move(shared), executor));
}

void ChangeSignal::notify(const std::string& subject) {
  const std::scoped_lock lock(mutex_);
  const auto [first, last] = watches_.equal_range(subject);
  notify(first, last);
}

void ChangeSignal::notify_all() {
  const std::scoped_lock lock(mutex_);
  notify(watches_.begin(), watches_.end());
}

/// Watches that have ended are cleared away here.
void ChangeSignal::notify(Watches::iterator first, Watches::iterator last) {
  while (first != last) {
    const std::shared_ptr<ChangeWatch::Shared> watch = first->second.lock();
    first = watch != nullptr ? std::next(first) : watches_.erase(first);
    if (watch == nullptr || watch->is_waking.exchange(true)) continue;
    net::post(watch->executor, [watch] {
      watch->is_waking = false;  // what changes from now on is another wake-up
      if (watch->event != nullptr) watch->event->notify();
    });
  }
}

}  // namespace sluice::backend
