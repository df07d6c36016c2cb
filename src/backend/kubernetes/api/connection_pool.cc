#include "backend/kubernetes/api/connection_pool.h"

#include <algorithm>

namespace sluice::backend::kubernetes {

std::unique_ptr<PooledConnection> ConnectionPool::take(const net::Executor& loop) {
  close_idle(loop);
  while (true) {
    std::unique_ptr<PooledConnection> connection;
    {
      const std::lock_guard lock(mutex_);
      const auto last = std::find_if(waiting_.rbegin(), waiting_.rend(),
                                     [&](const Waiting& each) { return each.loop == loop; });
      if (last == waiting_.rend()) return nullptr;
      connection = std::move(last->connection);
      waiting_.erase(std::next(last).base());
    }
    if (connection->http.is_reusable()) return connection;
  }
}

void ConnectionPool::give(const net::Executor& loop, std::unique_ptr<PooledConnection> connection) {
  if (!connection->http.is_reusable()) return;
  close_idle(loop);
  const std::lock_guard lock(mutex_);
  const auto of_loop = [&](const Waiting& each) { return each.loop == loop; };
  if (std::ranges::count_if(waiting_, of_loop) >= static_cast<int>(kMaxPerLoop)) return;
  waiting_.push_back({loop, timers_.now(), std::move(connection)});
}

void ConnectionPool::close(const net::Executor& loop) { extract(loop, MonotonicTime::max()); }

void ConnectionPool::close_idle(const net::Executor& loop) {
  extract(loop, timers_.now() - kMaxIdle);
}

std::vector<ConnectionPool::Waiting> ConnectionPool::extract(const net::Executor& loop,
                                                             MonotonicTime before) {
  std::vector<Waiting> extracted;  // closed by the caller, without the lock
  const std::lock_guard lock(mutex_);
  std::vector<Waiting> kept;
  for (Waiting& each : waiting_) {
    const bool goes = each.loop == loop && each.since < before;
    (goes ? extracted : kept).push_back(std::move(each));
  }
  waiting_ = std::move(kept);
  return extracted;
}

}  // namespace sluice::backend::kubernetes
