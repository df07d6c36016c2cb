#include "gateway/connection_limit.h"

#include <utility>

namespace sluice::gateway {

ConnectionPlace::ConnectionPlace(ConnectionLimit& limit) : limit_(&limit) {
  limit.open_.fetch_add(1, std::memory_order_relaxed);
}

ConnectionPlace::ConnectionPlace(ConnectionPlace&& other) noexcept
    : limit_(std::exchange(other.limit_, nullptr)) {}

ConnectionPlace::~ConnectionPlace() {
  if (limit_ != nullptr) limit_->open_.fetch_sub(1, std::memory_order_relaxed);
}

bool ConnectionLimit::has_room() {
  const bool is_full = open_.load(std::memory_order_relaxed) >= most_;
  const bool was_full = is_full_.exchange(is_full, std::memory_order_relaxed);
  if (is_full && !was_full) metrics_.limit_reached(Limit::Connections);
  return !is_full;
}

}  // namespace sluice::gateway
