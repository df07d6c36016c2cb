#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace sluice {
namespace {

constexpr std::uint64_t kMinMagnitude = std::uint64_t{1} << 63;  // of the lowest int64
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_label_of_any_length(std::string_view text) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c); };
  return !text.empty() && alphanumeric(text.front()) && alphanumeric(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return alphanumeric(c) || c == '-'; });
}

/// Takes leading digits. nullopt on overflow beyond 2^63 (Go's leadingInt).
std::optional<std::uint64_t> take_integer(std::string_view& text) {
  std::uint64_t number = 0;
  while (!text.empty() && is_digit(text.front())) {
    if (number > kMinMagnitude / 10) return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(text.front() - '0');
    if (number > kMinMagnitude) return std::nullopt;
    text.remove_prefix(1);
  }
  return number;
}

struct Fraction {
  std::uint64_t digits = 0;
  double scale = 1;
};

/// Takes digits after a decimal point; what is beyond the precision is cut (Go's leadingFraction).
Fraction take_fraction(std::string_view& text) {
  Fraction fraction;
  bool full = false;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
    full = full || fraction.digits > (kMinMagnitude - 1) / 10 - 1;
    if (full) continue;
    fraction.digits = fraction.digits * 10 + static_cast<std::uint64_t>(text.front() - '0');
    fraction.scale *= 10;
  }
  return fraction;
}

struct Unit {
  std::string_view name;
  std::uint64_t nanos;
};

constexpr std::array kUnits = {
    Unit{"ns", 1},
    Unit{"us", 1'000},
    Unit{"\u00b5s", 1'000},  // micro sign
    Unit{"\u03bcs", 1'000},  // Greek mu
    Unit{"ms", 1'000'000},
    Unit{"s", 1'000'000'000},
    Unit{"m", 60'000'000'000},
    Unit{"h", 3'600'000'000'000},
};

std::optional<std::uint64_t> take_unit(std::string_view& text) {
  const auto end = std::ranges::find_if(text, [](char c) { return c == '.' || is_digit(c); });
  const std::string_view name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(name.size());
  const auto unit = std::ranges::find(kUnits, name, &Unit::name);
  return unit == kUnits.end() ? std::nullopt : std::optional(unit->nanos);
}

/// One "1.5h" of a duration, in nanoseconds, at most 2^63.
std::optional<std::uint64_t> take_duration_part(std::string_view& text) {
  if (text.front() != '.' && !is_digit(text.front())) return std::nullopt;
  const bool has_integer = is_digit(text.front());
  const auto integer = take_integer(text);
  if (!integer) return std::nullopt;
  Fraction fraction;
  bool has_fraction = false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    has_fraction = !text.empty() && is_digit(text.front());
    fraction = take_fraction(text);
  }
  if (!has_integer && !has_fraction) return std::nullopt;
  const auto unit = take_unit(text);
  if (!unit || *integer > kMinMagnitude / *unit) return std::nullopt;
  const double rest =
      static_cast<double>(fraction.digits) * (static_cast<double>(*unit) / fraction.scale);
  const std::uint64_t nanos = *integer * *unit + static_cast<std::uint64_t>(rest);
  return nanos > kMinMagnitude ? std::nullopt : std::optional(nanos);
}

/// Exactly `count` digits at `offset`, or -1.
int digits_at(std::string_view text, std::size_t offset, std::size_t count) {
  if (offset + count > text.size()) return -1;
  int number = 0;
  for (const char c : text.substr(offset, count)) {
    if (!is_digit(c)) return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

/// "Z" or "+02:00" as seconds east of UTC.
std::optional<std::int64_t> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const int hours = digits_at(text, 1, 2);
  const int minutes = digits_at(text, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  const std::int64_t offset = hours * 3600 + minutes * 60;
  return text[0] == '-' ? -offset : offset;
}

/// Takes ".123…" as nanoseconds; no fraction is 0.
std::optional<std::int64_t> take_nanos(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  std::int64_t nanos = 0;
  for (std::int64_t unit = kNanosPerSecond / 10; !text.empty() && is_digit(text.front());
       unit /= 10) {
    nanos += unit * (text.front() - '0');
    text.remove_prefix(1);
  }
  return nanos;
}

WallTime wall_time_clamped(std::int64_t second, std::int64_t nanos) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (second > kMax / kNanosPerSecond - 1) return WallTime::max();
  if (second < -(kMax / kNanosPerSecond)) return WallTime::min();
  return WallTime(nanoseconds(second * kNanosPerSecond + nanos));
}

char* put_two(char* out, unsigned number) {
  *out++ = static_cast<char>('0' + number / 10);
  *out++ = static_cast<char>('0' + number % 10);
  return out;
}

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

std::optional<bool> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_int64(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<nanoseconds> parse_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return nanoseconds(0);
  if (text.empty()) return std::nullopt;
  std::uint64_t total = 0;
  while (!text.empty()) {
    const auto part = take_duration_part(text);
    if (!part) return std::nullopt;
    total += *part;  // both at most 2^63: wraps to 0 at worst when both are 2^63
    if (total > kMinMagnitude || (total == 0 && *part != 0)) return std::nullopt;
  }
  if (negative) return nanoseconds(static_cast<std::int64_t>(0 - total));
  if (total == kMinMagnitude) return std::nullopt;
  return nanoseconds(static_cast<std::int64_t>(total));
}

std::string format_duration(nanoseconds duration) {
  const bool negative = duration.count() < 0;
  const auto count = static_cast<std::uint64_t>(duration.count());
  std::uint64_t nanos = negative ? 0 - count : count;
  if (nanos == 0) return "0s";
  std::string text = negative ? "-" : "";
  const auto append = [&](std::uint64_t unit, std::string_view name) {
    if (nanos >= unit) fmt::format_to(std::back_inserter(text), "{}{}", nanos / unit, name);
    nanos %= unit;
  };
  const auto append_last = [&](std::uint64_t unit, std::string_view name) {
    std::string fraction = fmt::format("{:09}", (nanos % unit) * (kNanosPerSecond / unit));
    while (fraction.ends_with('0')) fraction.pop_back();
    fmt::format_to(std::back_inserter(text), "{}{}{}{}", nanos / unit, fraction.empty() ? "" : ".",
                   fraction, name);
  };
  append(3'600'000'000'000, "h");
  append(60'000'000'000, "m");
  if (nanos == 0) return text;
  if (nanos >= 1'000'000'000 || text.size() > 1) {
    append_last(1'000'000'000, "s");
  } else if (nanos >= 1'000'000) {
    append_last(1'000'000, "ms");
  } else if (nanos >= 1'000) {
    append_last(1'000, "\u00b5s");
  } else {
    append_last(1, "ns");
  }
  return text;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || to_lower(text[10]) != 't' ||
      text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const int year = digits_at(text, 0, 4);
  const int month = digits_at(text, 5, 2);
  const int day = digits_at(text, 8, 2);
  const int hour = digits_at(text, 11, 2);
  const int minute = digits_at(text, 14, 2);
  const int second = digits_at(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60) {
    return std::nullopt;
  }
  text.remove_prefix(19);
  const auto nanos = take_nanos(text);
  const auto offset = nanos ? parse_offset(text) : std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!offset || !date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int second_of_day = (hour * 60 + minute) * 60 + second;
  const std::int64_t total = days * 86400 + second_of_day - *offset;
  if (second == 60 && total % 86400 != 0) return std::nullopt;  // leap seconds end a UTC day
  return wall_time_clamped(total, *nanos);
}

std::string format_rfc3339(WallTime time) {
  constexpr std::size_t kToSeconds = 19;  // the length of 2026-01-02T03:04:05
  return format_rfc3339_nano(time).substr(0, kToSeconds) + "Z";
}

std::string format_rfc3339_nano(WallTime time) {
  // By hand: chrono's floor overflows near the ends of WallTime.
  constexpr std::int64_t kNanosPerDay = 86400 * kNanosPerSecond;
  const std::int64_t count = time.time_since_epoch().count();
  const std::int64_t before = count % kNanosPerDay < 0 ? 1 : 0;  // times before 1970 round down
  const std::int64_t days = count / kNanosPerDay - before;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  const auto nanos_of_day =
      static_cast<std::uint64_t>(count % kNanosPerDay + before * kNanosPerDay);
  const auto second_of_day = static_cast<unsigned>(nanos_of_day / kNanosPerSecond);
  auto nanos = static_cast<std::uint32_t>(nanos_of_day % kNanosPerSecond);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));  // 1677 to 2262
  char text[30];
  char* out = put_two(text, year / 100);
  out = put_two(out, year % 100);
  *out++ = '-';
  out = put_two(out, static_cast<unsigned>(date.month()));
  *out++ = '-';
  out = put_two(out, static_cast<unsigned>(date.day()));
  *out++ = 'T';
  out = put_two(out, second_of_day / 3600);
  *out++ = ':';
  out = put_two(out, second_of_day / 60 % 60);
  *out++ = ':';
  out = put_two(out, second_of_day % 60);
  *out++ = '.';
  for (int i = 8; i >= 0; --i, nanos /= 10) out[i] = static_cast<char>('0' + nanos % 10);
  out[9] = 'Z';
  return std::string(text, sizeof text);
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      fmt::format_to(std::back_inserter(encoded), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

bool is_dns_label(std::string_view name) {
  return name.size() <= 63 && is_label_of_any_length(name);
}

bool is_dns_subdomain(std::string_view name) {
  // Kubernetes bounds the whole name only, not its labels (apimachinery IsDNS1123Subdomain).
  return name.size() <= 253 && std::ranges::all_of(split(name, '.'), is_label_of_any_length);
}

std::size_t utf8_sequence_length(std::string_view text) {
  // RFC 3629 4, as a table in code.
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](std::size_t i) { return i < text.size() && (at(i) & 0xC0) == 0x80; };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (!tail(1)) return 0;
  if (lead < 0xE0) return 2;
  if (!tail(2)) return 0;
  if (lead < 0xF0) {
    if (lead == 0xE0 && at(1) < 0xA0) return 0;  // overlong
    if (lead == 0xED && at(1) > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (lead > 0xF4 || !tail(3)) return 0;
  if (lead == 0xF0 && at(1) < 0x90) return 0;  // overlong
  if (lead == 0xF4 && at(1) > 0x8F) return 0;  // beyond U+10FFFF
  return 4;
}

bool is_utf8(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  while (!text.empty()) {
    if (text.size() >= 8) {
      std::uint64_t eight;
      std::memcpy(&eight, text.data(), 8);
      if ((eight & kHighBits) == 0) {
        text.remove_prefix(8);
        continue;
      }
    }
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string_view truncate_utf8(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  // A sequence is at most four bytes: in text that isn't UTF-8, nothing more is cut.
  while (end > 0 && limit - end < 3 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;
  return text.substr(0, end);
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t end = text.find(separator);
  while (end != std::string_view::npos) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
    end = text.find(separator);
  }
  parts.push_back(text);
  return parts;
}

bool equals_ignore_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace sluice
