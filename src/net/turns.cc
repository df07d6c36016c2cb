#include "net/turns.h"

#include <algorithm>

namespace sluice::net {

Task<Result<>> Turns::take() {
  if (left_ > 0) {
    --left_;
    co_return Result<>{};
  }
  const auto own = waiting_.emplace(waiting_.end(), executor_);
  const Result<> woken = co_await own->granted.wait();
  const bool has_turn = own->has_turn;
  waiting_.erase(own);
  if (!woken && has_turn) pass();
  co_return woken;
}

void Turns::pass() {
  const auto next = std::ranges::find(waiting_, false, &Waiter::has_turn);
  if (next == waiting_.end()) {
    ++left_;
    return;
  }
  next->has_turn = true;
  next->granted.notify();
}

}  // namespace sluice::net
