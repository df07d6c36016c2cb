#include "backend/log_reader_options.h"

#include <gtest/gtest.h>

namespace sluice::backend {
namespace {

TEST(LogReaderOptionsTest, OfARequestThatAsksForAllThereIs) {
  const loglines::ReaderOptions reader = reader_options({}, loglines::Format::Cri);
  EXPECT_EQ(reader.format, loglines::Format::Cri);
  EXPECT_EQ(reader.timestamps, loglines::Timestamps::Strip);
  EXPECT_EQ(reader.since, std::nullopt);
  EXPECT_EQ(reader.limit_bytes, std::nullopt);
}

TEST(LogReaderOptionsTest, OfARequestWithEveryOption) {
  const WallTime since{seconds(5)};
  LogOptions options;
  options.timestamps = true;
  options.since = since;
  options.limit_bytes = 7;
  const loglines::ReaderOptions reader = reader_options(options, loglines::Format::Stamped);
  EXPECT_EQ(reader.format, loglines::Format::Stamped);
  EXPECT_EQ(reader.timestamps, loglines::Timestamps::Keep);
  EXPECT_EQ(reader.since, since);
  EXPECT_EQ(reader.limit_bytes, 7U);
}

}  // namespace
}  // namespace sluice::backend
