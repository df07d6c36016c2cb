#include "base/backoff.h"

#include <algorithm>

namespace sluice {
namespace {

nanoseconds scale(nanoseconds duration, double by) {
  return nanoseconds(static_cast<nanoseconds::rep>(static_cast<double>(duration.count()) * by));
}

/// In [0, 1).
double fraction(Random& random) {
  std::uint32_t number = 0;
  random.fill(std::as_writable_bytes(std::span(&number, 1)));
  return number / 4294967296.0;
}

}  // namespace

nanoseconds Backoff::next(Random& random) {
  const nanoseconds delay = delay_;
  delay_ = std::min(scale(delay_, options_.factor), options_.cap);
  return scale(delay, 1 + options_.jitter * fraction(random));
}

}  // namespace sluice
