#include "loglines/time_search.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace sluice::loglines {
namespace {

std::string record(int second, std::size_t text_bytes) {
  return format_rfc3339_nano(WallTime(seconds(second))) + " stdout F " +
         std::string(text_bytes, 'x') + "\n";
}

std::uint64_t search(const std::string& file, int second) {
  TimeSearch search(file.size(), WallTime(seconds(second)));
  while (!search.is_done()) {
    search.take(std::string_view(file).substr(search.probe_at(), TimeSearch::kProbeBytes));
  }
  return search.begin();
}

TEST(TimeSearch, EndsAtMostAProbeBeforeTheFirstRecordOfThatTime) {
  std::string file;
  std::vector<std::uint64_t> begins;
  for (int second = 1; second <= 5000; ++second) {
    begins.push_back(file.size());
    file += record(second, static_cast<std::size_t>(second * 7 % 300));
  }
  for (int second = 2; second <= 5000; second += 13) {
    const std::uint64_t wanted = begins[static_cast<std::size_t>(second - 1)];
    const std::uint64_t found = search(file, second);
    ASSERT_LE(found, wanted) << second;
    ASSERT_LE(wanted - found, TimeSearch::kProbeBytes + 400) << second;
    ASSERT_TRUE(found == 0 || file[found - 1] == '\n') << second;
  }
  EXPECT_GT(search(file, 6000), file.size() - TimeSearch::kProbeBytes - 400);
}

TEST(TimeSearch, RecordTooLongToSeeItsEndIsNotSkipped) {
  const std::string file = record(1, 10) + record(5, 1 << 20) + record(6, 10);
  EXPECT_LE(search(file, 5), record(1, 10).size());
}

TEST(TimeSearch, WhatHasNoStampIsNotTakenForOlder) {
  EXPECT_FALSE(begins_before("no stamp\n", WallTime(seconds(10))));
  EXPECT_TRUE(begins_before(record(9, 3), WallTime(seconds(10))));
  EXPECT_FALSE(begins_before(record(10, 3), WallTime(seconds(10))));
}

}  // namespace
}  // namespace sluice::loglines
