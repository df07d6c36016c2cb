#include "loglines/stamp.h"

#include <gtest/gtest.h>

namespace sluice::loglines {
namespace {

TEST(StampTest, FixedStampIsTheWholeText) {
  EXPECT_TRUE(is_fixed_stamp(std::string_view("2026-01-02T03:04:05.000000006Z")));
  EXPECT_FALSE(is_fixed_stamp(std::string_view()));
  EXPECT_FALSE(is_fixed_stamp(std::string_view("2026-01-02T03:04:05.000000006Z ")));
  EXPECT_FALSE(is_fixed_stamp(std::string_view("2026-01-02T03:04:05.00000006Z")));
  EXPECT_FALSE(is_fixed_stamp(std::string_view("2026-01-02T03:04:05.000000006+")));
}

}  // namespace
}  // namespace sluice::loglines
