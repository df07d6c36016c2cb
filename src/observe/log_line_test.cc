#include "observe/log_line.h"

#include <vector>

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr WallTime kTime{std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + milliseconds(5)};

TEST(LogLine, JsonHasTimeLevelEventAndFieldsOfEachType) {
  const std::vector<LogField> fields = {
      {"user", "alice"}, {"bytes", 12}, {"seconds", 1.5}, {"clean", true}};
  EXPECT_EQ(format_log_line(LogFormat::Json, kTime, LogLevel::Info, "session ended", fields),
            R"({"time":"2026-01-02T00:00:00.005Z","level":"info","event":"session ended",)"
            R"("user":"alice","bytes":12,"seconds":1.5,"clean":true})");
}

TEST(LogLine, JsonEscapesWhateverIsInAText) {
  const std::vector<LogField> fields = {{"a", "x\"\\\n\x01\x7F"}, {"b", "\xFFz"}, {"c", "\u00e4"}};
  EXPECT_EQ(format_log_line(LogFormat::Json, kTime, LogLevel::Error, "e", fields),
            R"({"time":"2026-01-02T00:00:00.005Z","level":"error","event":"e",)"
            R"("a":"x\"\\\n\u0001\u007f","b":"\ufffdz","c":"ä"})");
}

TEST(LogLine, TextQuotesOnlyWhatNeedsIt) {
  const std::vector<LogField> fields = {{"user", "alice"}, {"reason", "exit code 3"}, {"none", ""}};
  EXPECT_EQ(
      format_log_line(LogFormat::Text, kTime, LogLevel::Warning, "session ended", fields),
      "2026-01-02T00:00:00.005Z warning session ended user=alice reason=\"exit code 3\" none=\"\"");
}

TEST(LogLine, NumbersThatJsonCannotHoldBecomeZero) {
  const std::vector<LogField> fields = {{"x", 1.0 / 0.0}};
  EXPECT_NE(format_log_line(LogFormat::Json, kTime, LogLevel::Debug, "e", fields).find("\"x\":0}"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice
