// PooledBuffer: a large buffer that is held only while bytes are under way. Each thread keeps a few
// for the next user, so taking one costs no allocation and finds its memory in the cache.
#pragma once

#include <memory>

#include "base/bytes.h"

namespace sluice::ws {

class PooledBuffer final {
 public:
  PooledBuffer() = default;
  /// At least that many bytes, not initialised.
  static PooledBuffer take(std::size_t at_least);
  PooledBuffer(PooledBuffer&& other) noexcept;
  PooledBuffer& operator=(PooledBuffer&& other) noexcept;
  ~PooledBuffer() { give_back(); }

  std::byte* data() const { return memory_.get(); }
  std::size_t size() const { return size_; }

 private:
  void give_back();

  std::unique_ptr<std::byte[]> memory_;
  std::size_t size_ = 0;
};

}  // namespace sluice::ws
