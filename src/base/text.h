// Parsing and formatting of the small texts of the contract: booleans, numbers, durations, times.
// Each parser accepts the whole text or nothing; the caller words the error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace sluice {

/// As Go's strconv.ParseBool: 1 t T TRUE true True, 0 f F FALSE false False.
std::optional<bool> parse_bool(std::string_view text);
/// Decimal with optional sign ('+' refused), no spaces, no overflow.
std::optional<std::int64_t> parse_int64(std::string_view text);
/// As Go's time.ParseDuration ("1h30m", "1.5s", "300ms", "0"), sign allowed, overflow refused.
std::optional<nanoseconds> parse_duration(std::string_view text);
/// The longest that a configuration or an option of sluiced may give, 10 years: a time plus several
/// of them is within the 292 years that nanoseconds hold. parse_duration itself has no such bound:
/// of a query's sinceSeconds and the CLI's --since any length is good.
inline constexpr nanoseconds kLongestDuration = std::chrono::hours(87'600);
/// Short form for messages and configs, which parse_duration reads back: "30s", "5m", "1.5s",
/// "1h30m".
std::string format_duration(nanoseconds duration);
/// RFC 3339 with a fraction of any length (digits past nanoseconds are cut) and any offset. A time
/// that WallTime can't hold (before 1677, after 2262) becomes its first or last.
std::optional<WallTime> parse_rfc3339(std::string_view text);
/// RFC 3339 UTC with always nine fraction digits: "2026-01-02T03:04:05.000000006Z" (30 bytes), the
/// CRI form.
std::string format_rfc3339_nano(WallTime time);
/// RFC 3339 UTC in whole seconds, as Kubernetes writes times: "2026-01-02T03:04:05Z".
std::string format_rfc3339(WallTime time);

/// For a path segment or a query value (RFC 3986 2.1): all but unreserved characters as %XX.
std::string percent_encode(std::string_view text);

/// RFC 1123 label (Kubernetes namespace, project): [a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?.
bool is_dns_label(std::string_view name);
/// RFC 1123 subdomain, at most 253 bytes (pod, workload).
bool is_dns_subdomain(std::string_view name);
/// The length of the valid UTF-8 sequence that `text` (not empty) starts with; 0 when it isn't one.
std::size_t utf8_sequence_length(std::string_view text);
/// Whole text is valid UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool is_utf8(std::string_view text);
/// The longest prefix of at most `limit` bytes that does not split a UTF-8 sequence.
std::string_view truncate_utf8(std::string_view text, std::size_t limit);
/// Without spaces and tabs at both ends (RFC 9110 5.6.3: OWS).
std::string_view trim(std::string_view text);
/// The parts between separators, empty ones too: one more than there are separators. Views of
/// `text`.
std::vector<std::string_view> split(std::string_view text, char separator);
/// ASCII only, as HTTP field names and tokens compare (RFC 9110 5.1).
bool equals_ignore_case(std::string_view a, std::string_view b);
/// The candidate nearest to `word` by edit distance, for "did you mean": nullopt when none is near.
template <typename Range>
std::optional<std::string_view> nearest(std::string_view word, const Range& candidates);

std::size_t edit_distance(std::string_view a, std::string_view b);

template <typename Range>
std::optional<std::string_view> nearest(std::string_view word, const Range& candidates) {
  std::optional<std::string_view> best;
  std::size_t best_distance = word.size() / 3 + 2;
  for (std::string_view candidate : candidates) {
    if (const std::size_t distance = edit_distance(word, candidate); distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace sluice
