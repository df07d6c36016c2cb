#include "ws/buffer_pool.h"

#include <array>
#include <atomic>
#include <utility>

#include "ws/held_bytes.h"

namespace sluice::ws {
namespace {

// Between them lies what is worth keeping: smaller ones are cheap to allocate, larger ones rare.
constexpr std::size_t kMinPooledBytes = 16_KiB;
constexpr std::size_t kMaxPooledBytes = 4_MiB;

struct Spare {
  std::unique_ptr<std::byte[]> memory;
  std::size_t size = 0;
};

// A connection lives on one thread, and so do its buffers.
thread_local std::array<Spare, 4> spares;

// Of all threads.
std::atomic<std::size_t> held = 0;

}  // namespace

std::size_t held_bytes() { return held.load(std::memory_order_relaxed); }

PooledBuffer PooledBuffer::take(std::size_t at_least) {
  PooledBuffer buffer;
  if (at_least >= kMinPooledBytes) {
    for (Spare& spare : spares) {
      if (spare.size < at_least) continue;
      buffer.memory_ = std::move(spare.memory);
      buffer.size_ = std::exchange(spare.size, 0);
      held.fetch_add(buffer.size_, std::memory_order_relaxed);
      return buffer;
    }
  }
  buffer.memory_ = std::make_unique_for_overwrite<std::byte[]>(at_least);
  buffer.size_ = at_least;
  held.fetch_add(at_least, std::memory_order_relaxed);
  return buffer;
}

PooledBuffer::PooledBuffer(PooledBuffer&& other) noexcept
    : memory_(std::move(other.memory_)), size_(std::exchange(other.size_, 0)) {}

PooledBuffer& PooledBuffer::operator=(PooledBuffer&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  memory_ = std::move(other.memory_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void PooledBuffer::give_back() {
  if (size_ == 0) return;
  held.fetch_sub(size_, std::memory_order_relaxed);
  if (size_ >= kMinPooledBytes && size_ <= kMaxPooledBytes) {
    for (Spare& spare : spares) {
      if (spare.size >= size_) continue;  // keep the larger ones
      std::swap(spare.memory, memory_);
      std::swap(spare.size, size_);
      break;
    }
  }
  memory_.reset();
  size_ = 0;
}

}  // namespace sluice::ws
