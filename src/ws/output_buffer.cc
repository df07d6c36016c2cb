#include "ws/output_buffer.h"

#include <algorithm>
#include <cstring>

namespace sluice::ws {
namespace {

// What a batch of log lines from one 256 KiB block and its headers usually needs.
constexpr std::size_t kBatchBytes = 512_KiB;
constexpr std::size_t kSmallBytes = 4_KiB;

}  // namespace

void OutputBuffer::append(Bytes bytes) {
  if (bytes.empty()) return;
  std::memcpy(reserve(bytes.size()), bytes.data(), bytes.size());
  commit(bytes.size());
}

void OutputBuffer::consume(std::size_t count) {
  begin_ += count;
  if (begin_ < end_) return;
  begin_ = end_ = 0;
  memory_ = {};
}

void OutputBuffer::shrink() {
  if (memory_.size() > kSmallBytes && size() < memory_.size() / 4) {
    move_to(PooledBuffer::take(std::max(size(), std::size_t{64})));
  }
}

void OutputBuffer::grow(std::size_t count) {
  const std::size_t needed = size() + count;
  // The first bytes of a batch: the size of the whole is not known, and a pooled buffer costs
  // nothing.
  move_to(PooledBuffer::take(std::max(needed + needed / 2, kBatchBytes)));
}

void OutputBuffer::move_to(PooledBuffer memory) {
  const std::size_t count = size();
  if (count > 0) std::memcpy(memory.data(), memory_.data() + begin_, count);
  memory_ = std::move(memory);
  begin_ = 0;
  end_ = count;
}

}  // namespace sluice::ws
