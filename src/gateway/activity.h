// How many requests and sessions are under way, over all loops: what a shutdown waits for. And how
// many connections have yet to ask for anything: a server that has handed its listeners over owes
// them an answer.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <utility>

namespace sluice::gateway {

class Activity {
 public:
  /// `idle` is called on whichever thread ends the last one, and when the last newcomer settles
  /// while none is under way, once watch() was called.
  explicit Activity(std::function<void()> idle) : idle_(std::move(idle)) {}

  void begin() { count_.fetch_add(1); }
  void end() {
    if (count_.fetch_sub(1) == 1 && watched_.load()) idle_();
  }
  void arrive() { newcomers_.fetch_add(1); }
  void settle() {
    if (newcomers_.fetch_sub(1) == 1 && watched_.load() && is_idle()) idle_();
  }
  /// From now on `idle` is called; look at is_idle() once after it.
  void watch() { watched_.store(true); }
  bool is_idle() const { return count_.load() == 0; }
  bool has_newcomers() const { return newcomers_.load() > 0; }

 private:
  std::atomic<std::size_t> count_ = 0;
  std::atomic<std::size_t> newcomers_ = 0;
  std::atomic<bool> watched_ = false;
  std::function<void()> idle_;
};

/// One request or session, while it exists. A connection that waits for a request is none.
class Busy {
 public:
  explicit Busy(Activity& activity) : activity_(&activity) { activity_->begin(); }
  Busy(Busy&& other) noexcept : activity_(std::exchange(other.activity_, nullptr)) {}
  Busy& operator=(Busy&&) = delete;
  ~Busy() {
    if (activity_ != nullptr) activity_->end();
  }

 private:
  Activity* activity_;
};

/// A connection from its accept to its first request. One that becomes Busy does so before it
/// settles.
class Newcomer {
 public:
  explicit Newcomer(Activity& activity) : activity_(&activity) { activity_->arrive(); }
  Newcomer(Newcomer&& other) noexcept : activity_(std::exchange(other.activity_, nullptr)) {}
  Newcomer& operator=(Newcomer&&) = delete;
  ~Newcomer() { settle(); }
  void settle() {
    if (Activity* const activity = std::exchange(activity_, nullptr)) activity->settle();
  }

 private:
  Activity* activity_;
};

}  // namespace sluice::gateway
