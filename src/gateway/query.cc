#include "gateway/query.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::gateway {
namespace {

constexpr std::size_t kMaxQuotedBytes = 80;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high << 4 | low);
      i += 2;
    }
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

std::unexpected<Error> invalid(std::string_view field, std::string_view expected,
                               std::string_view value) {
  return fail(ErrorCode::InvalidArgument,
              fmt::format("query field {}: must be {}, got {}", field, expected, quoted(value)));
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) { return decode(text, false); }

std::string quoted(std::string_view text) {
  const std::string_view shown = truncate_utf8(text, kMaxQuotedBytes);
  return fmt::format("\"{}{}\"", shown, shown.size() < text.size() ? "…" : "");
}

Result<Query> Query::parse(std::string_view raw) {
  Query query;
  for (const std::string_view pair : split(raw, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    std::optional<std::string> name = decode(pair.substr(0, equals), true);
    if (!name) {
      return fail(ErrorCode::InvalidArgument,
                  "malformed query: a field's name is not percent-encoded UTF-8");
    }
    std::optional<std::string> decoded = decode(value, true);
    if (!decoded) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("malformed query: the value of field {} is not percent-encoded UTF-8",
                              quoted(*name)));
    }
    query.fields_.push_back({*std::move(name), *std::move(decoded), *decode(value, false)});
  }
  return query;
}

Result<const Query::Field*> Query::single(std::string_view field) const {
  const Field* found = nullptr;
  for (const Field& candidate : fields_) {
    if (candidate.name != field) continue;
    if (found != nullptr) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("query field {}: given more than once; it takes one value", field));
    }
    found = &candidate;
  }
  return found;
}

std::vector<std::string_view> Query::all(std::string_view field) const {
  std::vector<std::string_view> values;
  for (const Field& candidate : fields_) {
    if (candidate.name == field) values.push_back(candidate.value);
  }
  return values;
}

Result<std::string> Query::text(std::string_view field) const {
  TRY(const Field* found, single(field));
  return found == nullptr ? std::string() : found->value;
}

Result<std::optional<std::string>> Query::verbatim(std::string_view field) const {
  TRY(const Field* found, single(field));
  if (found == nullptr) return std::nullopt;
  return found->verbatim;
}

Result<bool> Query::boolean(std::string_view field, bool otherwise) const {
  TRY(const Field* found, single(field));
  if (found == nullptr) return otherwise;
  if (const auto value = parse_bool(found->value)) return *value;
  return invalid(field, "true or false (or 1, 0, t, f)", found->value);
}

Result<std::optional<std::int64_t>> Query::integer(std::string_view field, std::int64_t min,
                                                   std::int64_t max) const {
  TRY(const Field* found, single(field));
  if (found == nullptr) return std::nullopt;
  const auto value = parse_int64(found->value);
  if (value && *value >= min && *value <= max) return value;
  const std::string range = max == std::numeric_limits<std::int64_t>::max()
                                ? fmt::format("a whole number of at least {}", min)
                                : fmt::format("a whole number from {} to {}", min, max);
  return invalid(field, range, found->value);
}

Result<std::optional<nanoseconds>> Query::duration(std::string_view field) const {
  TRY(const Field* found, single(field));
  if (found == nullptr) return std::nullopt;
  std::optional<nanoseconds> value = parse_duration(found->value);
  if (const auto whole = parse_int64(found->value)) {
    constexpr auto kMost = std::chrono::duration_cast<seconds>(nanoseconds::max());
    value = std::clamp(seconds(*whole), seconds(-1), kMost);
  }
  if (value && *value >= nanoseconds(0)) return value;
  return invalid(field, "a duration such as 5s or 1h30m, or whole seconds, not negative",
                 found->value);
}

Result<std::optional<WallTime>> Query::time(std::string_view field) const {
  TRY(const Field* found, single(field));
  if (found == nullptr) return std::nullopt;
  // The '+' of an offset is often sent raw, and would arrive as a space.
  if (const auto value = parse_rfc3339(found->value)) return value;
  if (const auto value = parse_rfc3339(found->verbatim)) return value;
  return invalid(field, "an RFC 3339 time such as 2026-01-02T03:04:05Z", found->value);
}

Result<bool> Query::flag(std::string_view field, std::string_view only_value) const {
  TRY(const Field* found, single(field));
  if (found == nullptr) return false;
  if (found->value == only_value) return true;
  return invalid(field, fmt::format("\"{}\" or absent", only_value), found->value);
}

}  // namespace sluice::gateway
