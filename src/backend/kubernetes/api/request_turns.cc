#include "backend/kubernetes/api/request_turns.h"

#include <algorithm>

#include "net/current_executor.h"

namespace sluice::backend::kubernetes {

net::Task<Result<RequestTurns::Turn>> RequestTurns::take() {
  const net::Executor executor = co_await net::current_executor();
  net::Turns& turns = turns_of(executor);
  CO_TRY_VOID(co_await turns.take());
  co_return Turn(turns);
}

net::Turns& RequestTurns::turns_of(const net::Executor& executor) {
  const std::scoped_lock lock(mutex_);
  const auto found =
      std::ranges::find_if(loops_, [&](const auto& loop) { return loop->executor == executor; });
  if (found != loops_.end()) return (*found)->turns;
  loops_.push_back(std::make_unique<Loop>(executor, per_loop_));
  return loops_.back()->turns;
}

}  // namespace sluice::backend::kubernetes
