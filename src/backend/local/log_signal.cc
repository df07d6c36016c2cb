#include "backend/local/log_signal.h"

namespace sluice::backend::local {

LogSignal::~LogSignal() {
  for (Loop* loop = loops_.load(); loop != nullptr;) delete std::exchange(loop, loop->next);
}

void LogSignal::notify() {
  for (Loop* loop = loops_.load(std::memory_order_acquire); loop != nullptr; loop = loop->next) {
    // Sequentially consistent, as in arm(): of the commit before this and the follower's last look
    // before it waits, one sees the other.
    if (!loop->armed.exchange(false)) continue;
    net::post(loop->executor, [self = shared_from_this(), loop] { wake(*loop); });
  }
}

void LogSignal::wake(Loop& loop) {
  while (Waiter* const waiter = loop.first) {
    waiter->unlink();
    waiter->event_.notify();
  }
}

LogSignal::Loop& LogSignal::loop_of(const net::Executor& executor) {
  Loop* const first = loops_.load(std::memory_order_acquire);
  for (Loop* loop = first; loop != nullptr; loop = loop->next) {
    if (loop->executor == executor) return *loop;
  }
  // Only the thread of that loop adds it, so two threads never add the same one.
  auto* const added = new Loop(executor);
  added->next = first;
  while (!loops_.compare_exchange_weak(added->next, added)) {
  }
  return *added;
}

LogSignal::Waiter::Waiter(std::shared_ptr<LogSignal> signal, net::Executor executor)
    : signal_(std::move(signal)), loop_(signal_->loop_of(executor)), event_(executor) {}

LogSignal::Waiter::~Waiter() { unlink(); }

void LogSignal::Waiter::arm() {
  if (!linked_) {
    linked_ = true;
    previous_ = nullptr;
    next_ = loop_.first;
    if (next_ != nullptr) next_->previous_ = this;
    loop_.first = this;
  }
  loop_.armed.store(true);
}

void LogSignal::Waiter::unlink() {
  if (!linked_) return;
  linked_ = false;
  if (next_ != nullptr) next_->previous_ = previous_;
  (previous_ != nullptr ? previous_->next_ : loop_.first) = next_;
}

}  // namespace sluice::backend::local
