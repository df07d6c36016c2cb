// RequestTurns: how many requests each loop has under way to a server that have no answer yet. Who
// comes later waits for its turn, so that many who ask often share a few connections, instead of
// each making one.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "net/turns.h"

namespace sluice::backend::kubernetes {

/// Any loop.
class RequestTurns {
 public:
  /// Ends the turn when it is destroyed, on the loop that took it.
  class Turn {
   public:
    explicit Turn(net::Turns& turns) : turns_(&turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_ != nullptr) turns_->pass();
    }

   private:
    net::Turns* turns_;  // null: moved from
  };

  explicit RequestTurns(std::size_t per_loop) : per_loop_(per_loop) {}

  /// Completes when it is the caller's turn on its loop. Errors: Cancelled.
  net::Task<Result<Turn>> take();

 private:
  struct Loop {
    Loop(const net::Executor& loop, std::size_t at_once) : executor(loop), turns(loop, at_once) {}
    net::Executor executor;
    net::Turns turns;
  };
  net::Turns& turns_of(const net::Executor& executor);

  const std::size_t per_loop_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace sluice::backend::kubernetes
