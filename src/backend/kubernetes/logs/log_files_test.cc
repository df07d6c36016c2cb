#include "backend/kubernetes/logs/log_files.h"

#include <gmock/gmock.h>

namespace sluice::backend::kubernetes {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> names(const std::vector<LogFile>& files) {
  std::vector<std::string> names;
  for (const LogFile& file : files) names.push_back(file.name());
  return names;
}

std::string link(const std::string& name) { return "<a href=\"" + name + "\">" + name + "</a>\n"; }

TEST(LogFiles, FilesOfARunComeOldestFirst) {
  const std::string listing = "<!doctype html>\n<pre>\n" + link("0.log") + link("1.log") +
                              link("1.log.20260102-040506") + link("1.log.20260102-030405.gz") +
                              link("10.log") + "</pre>\n";
  EXPECT_THAT(names(files_of_run(listing, 1)),
              ElementsAre("1.log.20260102-030405.gz", "1.log.20260102-040506", "1.log"));
  EXPECT_THAT(names(files_of_run(listing, 10)), ElementsAre("10.log"));
  EXPECT_THAT(names(files_of_run(listing, 2)), ElementsAre());
}

TEST(LogFiles, FileUnderCompressionIsListedOnce) {
  const std::string listing = link("0.log") + link("0.log.20260102-030405") +
                              link("0.log.20260102-030405.gz") +
                              link("0.log.20260102-030405.gz.tmp");
  EXPECT_THAT(names(files_of_run(listing, 0)), ElementsAre("0.log.20260102-030405", "0.log"));
}

TEST(LogFiles, NewestRunIsNotNewerThanAskedFor) {
  const std::string listing = link("0.log") + link("2.log.20260102-030405.gz") + link("5.log");
  EXPECT_EQ(newest_run(listing, 9), 5);
  EXPECT_EQ(newest_run(listing, 4), 2);
  EXPECT_EQ(newest_run(listing, 1), 0);
  EXPECT_EQ(newest_run(listing, -1), std::nullopt);
}

TEST(LogFiles, OtherNamesAndBrokenListingsArePassedOver) {
  EXPECT_TRUE(files_of_run("<a href=\"0.log.", 0).empty());
  EXPECT_TRUE(files_of_run(link("0.logs") + link("0.log.today") + link("../"), 0).empty());
}

}  // namespace
}  // namespace sluice::backend::kubernetes
