// TransferBuffer: what one direction of a session reads into, with a byte of headroom for a
// channel. Its size follows the traffic: bulk gets large reads, a quiet session holds little while
// it waits.
#pragma once

#include <algorithm>

#include "ws/buffer_pool.h"

namespace sluice::session {

class TransferBuffer final {
 public:
  static constexpr std::size_t kSmallest = 4_KiB;
  static constexpr std::size_t kLargest = 256_KiB;

  /// Where the next read goes. Gives up what the last one brought.
  MutableBytes space() {
    if (wanted_ != size_) {
      memory_ = {};  // before the next is taken, so that there are never two
      memory_ = ws::PooledBuffer::take(kHeadroom + wanted_);
      size_ = wanted_;
    }
    return {memory_.data() + kHeadroom, size_};
  }

  /// What a read brought, and its size settles that of the next.
  Bytes filled(std::size_t count) {
    if (count == size_) wanted_ = std::min(size_ * 4, kLargest);
    if (count <= size_ / 8) wanted_ = std::max(size_ / 4, kSmallest);
    return {memory_.data() + kHeadroom, count};
  }
  /// The same, behind the byte that names a channel.
  Bytes filled(std::size_t count, std::uint8_t channel) {
    (void)filled(count);
    memory_.data()[0] = std::byte{channel};
    return {memory_.data(), kHeadroom + count};
  }

 private:
  static constexpr std::size_t kHeadroom = 1;

  ws::PooledBuffer memory_;
  std::size_t size_ = 0;
  std::size_t wanted_ = kSmallest;
};

}  // namespace sluice::session
