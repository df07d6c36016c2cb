// OutputBuffer: bytes waiting to be written, appended at one end and consumed at the other. Empty,
// it holds no memory. Growing does not initialise.
#pragma once

#include "ws/buffer_pool.h"

namespace sluice::ws {

class OutputBuffer final {
 public:
  /// Room for `count` more bytes behind what is there; used with commit().
  std::byte* reserve(std::size_t count) {
    if (memory_.size() - end_ < count) [[unlikely]]
      grow(count);
    return memory_.data() + end_;
  }
  void commit(std::size_t count) { end_ += count; }
  void append(Bytes bytes);
  void drop_last(std::size_t count) { end_ -= count; }

  Bytes pending() const { return {memory_.data() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  /// The first `count` pending bytes are written. With the last one the memory goes back to the
  /// pool.
  void consume(std::size_t count);
  /// Moves what is pending into memory of its own size, when that saves most of it: before a long
  /// wait.
  void shrink();

 private:
  void grow(std::size_t count);
  void move_to(PooledBuffer memory);

  PooledBuffer memory_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace sluice::ws
