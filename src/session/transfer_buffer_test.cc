#include "session/transfer_buffer.h"

#include <gtest/gtest.h>

namespace sluice::session {
namespace {

TEST(TransferBuffer, GrowsWhileReadsFillIt) {
  TransferBuffer buffer;
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 5; ++i) {
    sizes.push_back(buffer.space().size());
    (void)buffer.filled(sizes.back());
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{4_KiB, 16_KiB, 64_KiB, 256_KiB, 256_KiB}));
}

TEST(TransferBuffer, ShrinksAgainWhenReadsAreSmall) {
  TransferBuffer buffer;
  for (int i = 0; i < 4; ++i) (void)buffer.filled(buffer.space().size());
  for (int i = 0; i < 4; ++i) {
    (void)buffer.space();
    (void)buffer.filled(1);
  }
  EXPECT_EQ(buffer.space().size(), TransferBuffer::kSmallest);
}

TEST(TransferBuffer, AChannelByteStandsBeforeWhatWasRead) {
  TransferBuffer buffer;
  buffer.space()[0] = std::byte{'x'};
  EXPECT_EQ(as_text(buffer.filled(1, 2)), "\x02x");
}

}  // namespace
}  // namespace sluice::session
