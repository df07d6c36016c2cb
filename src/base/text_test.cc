#include "base/text.h"

#include <array>
#include <limits>
#include <utility>

#include <gmock/gmock.h>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

TEST(Text, ParseBoolIsGos) {
  for (const char* text : {"1", "t", "T", "TRUE", "true", "True"})
    EXPECT_EQ(parse_bool(text), true);
  for (const char* text : {"0", "f", "F", "FALSE", "false", "False"}) {
    EXPECT_EQ(parse_bool(text), false);
  }
  for (const char* text : {"", "yes", "on", "tRUE", " true", "true ", "2", "-1"}) {
    EXPECT_EQ(parse_bool(text), std::nullopt) << text;
  }
}

TEST(Text, TrimTakesSpacesAndTabsFromBothEnds) {
  EXPECT_EQ(trim(" \ta b\t "), "a b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim("\na\r"), "\na\r");
}

TEST(Text, SplitGivesEveryPart) {
  EXPECT_THAT(split("a,b", ','), ElementsAre("a", "b"));
  EXPECT_THAT(split("ab", ','), ElementsAre("ab"));
  EXPECT_THAT(split(",a,,", ','), ElementsAre("", "a", "", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
}

TEST(Text, ParseInt64TakesTheWholeTextOrNothing) {
  EXPECT_EQ(parse_int64("0"), 0);
  EXPECT_EQ(parse_int64("-1"), -1);
  EXPECT_EQ(parse_int64("007"), 7);
  EXPECT_EQ(parse_int64("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parse_int64("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  for (const char* text :
       {"", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "-", "9223372036854775808"}) {
    EXPECT_EQ(parse_int64(text), std::nullopt) << text;
  }
}

TEST(Text, ParseDurationIsGos) {
  const std::pair<std::string_view, nanoseconds> table[] = {
      {"0", 0ns},
      {"+0", 0ns},
      {"-0", 0ns},
      {"0s", 0ns},
      {"5s", 5s},
      {"30s", 30s},
      {"1478s", 1478s},
      {"-5s", -5s},
      {"+5s", 5s},
      {"5.0s", 5s},
      {"5.6s", 5600ms},
      {"5.s", 5s},
      {".5s", 500ms},
      {"1.0s", 1s},
      {"1.00s", 1s},
      {"1.004s", 1004ms},
      {"1.0040s", 1004ms},
      {"100.00100s", 100001ms},
      {"10ns", 10ns},
      {"11us", 11us},
      {"12\u00b5s", 12us},
      {"12\u03bcs", 12us},
      {"13ms", 13ms},
      {"14s", 14s},
      {"15m", 15min},
      {"16h", 16h},
      {"3h30m", 3h + 30min},
      {"10.5s4m", 4min + 10s + 500ms},
      {"-2m3.4s", -(2min + 3s + 400ms)},
      {"1h2m3s4ms5us6ns", 1h + 2min + 3s + 4ms + 5us + 6ns},
      {"9007199254740993ns", 9007199254740993ns},
      {"9223372036854775807ns", nanoseconds::max()},
      {"-9223372036854775808ns", nanoseconds::min()},
      {"0.3333333333333333333h", 20min},
      {"0.100000000000000000000h", 6min},
      {"0.830103483285477580700h", 49min + 48s + 372539827ns},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(parse_duration(text), expected) << text;
}

TEST(Text, TheLongestDurationMayBeAddedToATimeOften) {
  const WallTime last_of_2100 = *parse_rfc3339("2100-12-31T23:59:59Z");
  EXPECT_LT(last_of_2100, WallTime::max() - 10 * kLongestDuration);
  EXPECT_EQ(format_duration(kLongestDuration), "87600h");
}

TEST(Text, ParseDurationRefusesWhatGoRefuses) {
  for (const char* text : {"",
                           "3",
                           "-",
                           "s",
                           ".",
                           "-.",
                           ".s",
                           "+.s",
                           "1d",
                           "1S",
                           " 1s",
                           "1s ",
                           "1h 2m",
                           "\x85\x85",
                           "3000000h",
                           "9223372036854775808ns",
                           "9223372036854775.808us",
                           "9223372036854ms775us808ns",
                           "-9223372036854775809ns",
                           "1e3s",
                           "--1s",
                           "9223372036854775808ns9223372036854775808ns",
                           "99999999999999999999s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Text, FormatDurationIsShortAndReadsBack) {
  const std::pair<nanoseconds, std::string_view> table[] = {
      {0ns, "0s"},
      {30s, "30s"},
      {5min, "5m"},
      {1500ms, "1.5s"},
      {90min, "1h30m"},
      {1h + 1s, "1h1s"},
      {250ms, "250ms"},
      {1500us, "1.5ms"},
      {7us, "7\u00b5s"},
      {9ns, "9ns"},
      {-30s, "-30s"},
      {1h + 500ms, "1h0.5s"},
      {nanoseconds::min(), "-2562047h47m16.854775808s"},
  };
  for (const auto& [duration, expected] : table) {
    EXPECT_EQ(format_duration(duration), expected);
    EXPECT_EQ(parse_duration(expected), duration) << expected;
  }
}

WallTime at(std::int64_t second, std::int64_t nanos = 0) {
  return WallTime(seconds(second) + nanoseconds(nanos));
}

TEST(Text, ParseRfc3339) {
  const std::pair<std::string_view, WallTime> table[] = {
      {"1970-01-01T00:00:00Z", at(0)},
      {"1985-04-12T23:20:50.52Z", at(482196050, 520000000)},         // RFC 3339 5.8
      {"1996-12-19T16:39:57-08:00", at(851042397)},                  // RFC 3339 5.8
      {"1990-12-31T23:59:60Z", at(662688000)},                       // RFC 3339 5.8
      {"1990-12-31T15:59:60-08:00", at(662688000)},                  // RFC 3339 5.8
      {"1937-01-01T12:00:27.87+00:20", at(-1041337173, 870000000)},  // RFC 3339 5.8
      {"2024-02-29T00:00:00.1234567899Z", at(1709164800, 123456789)},
      {"2026-01-02t03:04:05z", at(1767323045)},
      {"0001-01-01T00:00:00Z", WallTime::min()},
      {"9999-12-31T23:59:59Z", WallTime::max()},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(parse_rfc3339(text), expected) << text;
}

TEST(Text, ParseRfc3339Refuses) {
  for (const char* text :
       {"", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-13-02T03:04:05Z",
        "2026-02-29T03:04:05Z", "2026-01-02T24:00:00Z", "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z", "2026-01-02T03:04:60Z", "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05,5Z", "2026-01-02T03:04:05+1:00", "2026-01-02T03:04:05+0100",
        "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05ZZ", "2026-1-02T03:04:05ZZ",
        "+026-01-02T03:04:05Z", "2026-01-02T03:04:05.5"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(Text, FormatRfc3339NanoHasAlwaysThirtyBytes) {
  EXPECT_EQ(format_rfc3339(at(1767323045, 999999999)), "2026-01-02T03:04:05Z");
  EXPECT_EQ(format_rfc3339(at(-1, 1)), "1969-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339_nano(at(0)), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(format_rfc3339_nano(at(1767323045, 6)), "2026-01-02T03:04:05.000000006Z");
  EXPECT_EQ(format_rfc3339_nano(at(-1, 999999999)), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(format_rfc3339_nano(at(1709208000)), "2024-02-29T12:00:00.000000000Z");
  for (const WallTime time : {WallTime::min(), WallTime::max(), at(951782400, 1), at(4102444799)}) {
    EXPECT_EQ(parse_rfc3339(format_rfc3339_nano(time)), time);
  }
}

TEST(Text, DnsLabel) {
  for (const char* name : {"a", "0", "project1", "a-b", "a--b"}) EXPECT_TRUE(is_dns_label(name));
  for (const char* name : {"", "-a", "a-", "A", "a.b", "a_b", "a b", "a/b", "\xc3\xa4"}) {
    EXPECT_FALSE(is_dns_label(name)) << name;
  }
  EXPECT_TRUE(is_dns_label(std::string(63, 'a')));
  EXPECT_FALSE(is_dns_label(std::string(64, 'a')));
}

TEST(Text, DnsSubdomain) {
  for (const char* name : {"a", "my-jp", "a.b", "my-jp-0-0", "0.1"})
    EXPECT_TRUE(is_dns_subdomain(name));
  for (const char* name : {"", ".", "a.", ".a", "a..b", "a.-b", "a-.b", "A.b", "..", "a/b"}) {
    EXPECT_FALSE(is_dns_subdomain(name)) << name;
  }
  EXPECT_TRUE(is_dns_subdomain(std::string(253, 'a')));
  EXPECT_FALSE(is_dns_subdomain(std::string(254, 'a')));
}

TEST(Text, Utf8IsRfc3629) {
  for (const char* text : {"", "plain ascii text", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
                           "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
                           "\xf4\x8f\xbf\xbf", "eight by\xc3\xa4te", "12345678\xe2\x82\xac"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (const char* text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf",
                           "\xe2\x82", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80", "\xff", "12345678\xe2\x82", "1234567\xbf"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(Text, TruncateUtf8SplitsNoSequence) {
  const std::string_view text = "a\xe2\x82\xacz";  // a€z
  const std::size_t expected[] = {0, 1, 1, 1, 4, 5, 5};
  for (std::size_t limit = 0; limit < std::size(expected); ++limit) {
    EXPECT_EQ(truncate_utf8(text, limit), text.substr(0, expected[limit])) << limit;
  }
  EXPECT_EQ(truncate_utf8("\xf0\x9f\x98\x80", 3), "");
  EXPECT_EQ(truncate_utf8("\x80\x80\x80\x80\x80\x80", 5).size(), 2U);
}

TEST(Text, EqualsIgnoreCaseIsAscii) {
  EXPECT_TRUE(equals_ignore_case("Bearer", "bEARER"));
  EXPECT_FALSE(equals_ignore_case("bearer", "bearer "));
  EXPECT_FALSE(equals_ignore_case("[", "{"));
  EXPECT_FALSE(equals_ignore_case("\xc3\xa4", "\xc3\x84"));
}

TEST(Text, NearestSuggestsOnlyWhatIsNear) {
  const std::array<std::string_view, 3> keys = {"listen", "basePath", "sessions"};
  EXPECT_EQ(nearest("listne", keys), "listen");
  EXPECT_EQ(nearest("session", keys), "sessions");
  EXPECT_EQ(nearest("kubernetes", keys), std::nullopt);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
}

}  // namespace
}  // namespace sluice
