#include "backend/kubernetes/cache/node_start.h"

#include <algorithm>

#include <fmt/format.h>

#include "net/deadline.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr nanoseconds kInterval = milliseconds(500);

}  // namespace

bool may_be_starting(const Error& refusal, const PodWatch& pod) {
  const std::shared_ptr<const PodRecord> record = pod.current();
  return refusal.code == ErrorCode::NotFound && record != nullptr && !record->deleting;
}

net::Task<Result<>> await_node(Error refusal, PodWatch& pod, net::Timers& timers,
                               MonotonicTime deadline) {
  if (!may_be_starting(refusal, pod)) co_return fail(refusal);
  const MonotonicTime now = timers.now();
  if (now >= deadline) {
    const std::shared_ptr<const PodRecord> record = pod.current();
    Error error{ErrorCode::Unavailable,
                fmt::format("node \"{}\" does not know pod \"{}\"", record->node, record->name)};
    error.cause = refusal.message;
    co_return fail(std::move(error));
  }
  const MonotonicTime until = std::min(now + kInterval, deadline);
  const Result<> changed = co_await net::before(until, timers, pod.changed());
  if (!changed && changed.error().code == ErrorCode::Cancelled) co_return changed;
  if (pod.current() == nullptr) co_return fail(refusal);
  co_return Result<>{};
}

}  // namespace sluice::backend::kubernetes
