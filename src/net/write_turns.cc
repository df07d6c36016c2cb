#include "net/write_turns.h"

namespace sluice::net {

Task<Result<>> WriteTurns::take() {
  if (!taken_) {
    taken_ = true;
    co_return Result<>{};
  }
  const auto own = waiting_.emplace(waiting_.end(), executor_);
  const Result<> woken = co_await own->granted.wait();
  const bool has_turn = own->has_turn;
  waiting_.erase(own);
  if (!woken && has_turn) pass();
  co_return woken;
}

void WriteTurns::pass() {
  taken_ = !waiting_.empty();
  if (!taken_) return;
  Waiter& next = waiting_.front();
  next.has_turn = true;
  next.granted.notify();
}

}  // namespace sluice::net
