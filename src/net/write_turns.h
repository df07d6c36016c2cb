// WriteTurns: tasks of one loop that share a socket write one after the other, in the order they
// came.
#pragma once

#include <list>

#include "net/event.h"

namespace sluice::net {

class WriteTurns final {
 public:
  explicit WriteTurns(Executor executor) : executor_(executor) {}

  /// Completes when it is the caller's turn; pass() ends the turn. Errors: Cancelled, without a
  /// turn.
  Task<Result<>> take();
  void pass();

 private:
  struct Waiter {
    explicit Waiter(Executor executor) : granted(executor) {}
    Event granted;
    bool has_turn = false;
  };

  Executor executor_;
  bool taken_ = false;
  std::list<Waiter> waiting_;
};

}  // namespace sluice::net
