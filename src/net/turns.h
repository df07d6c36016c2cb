// Turns: of the tasks of one loop that use the same thing, so many go on at once, in the order they
// came.
#pragma once

#include <list>

#include "net/event.h"

namespace sluice::net {

class Turns {
 public:
  /// At most `at_once` turns are taken at a time; not 0.
  Turns(Executor executor, std::size_t at_once) : executor_(executor), left_(at_once) {}

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
  std::size_t left_;
  std::list<Waiter> waiting_;
};

}  // namespace sluice::net
