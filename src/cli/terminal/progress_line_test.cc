#include "cli/terminal/progress_line.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sluice::cli {
namespace {

TEST(ProgressLineTest, SizesHaveTheLargestUnitThatTheyFill) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1024), "1.0 KiB");
  EXPECT_EQ(format_size(1.5 * 1_GiB), "1.5 GiB");
  EXPECT_EQ(format_size(5000.0 * 1024_GiB), "5000.0 TiB");
}

TEST(ProgressLineTest, TotalIsShownWhereItIsKnown) {
  EXPECT_EQ(progress_text(12_MiB, 48_MiB, seconds(4)), "12.0 MiB of 48.0 MiB (25%), 3.0 MiB/s");
  EXPECT_EQ(progress_text(12_MiB, std::nullopt, seconds(4)), "12.0 MiB, 3.0 MiB/s");
  EXPECT_EQ(progress_text(0, 0, nanoseconds(0)), "0 B");
}

}  // namespace
}  // namespace sluice::cli
