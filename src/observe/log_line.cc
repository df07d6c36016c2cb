#include "observe/log_line.h"

#include <cmath>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace sluice {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  const bool valid = is_utf8(text);
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else if (byte >= 0x80 && !valid) {
      out += "\\ufffd";
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) number = 0;  // JSON has no other
  fmt::format_to(std::back_inserter(out), "{:.6g}", number);
}

bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F) return false;
  }
  return !text.empty() && is_utf8(text);
}

enum class Quotes { Always, WhenNeeded };

void append_value(std::string& out, const LogField& field, Quotes quotes) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    if (quotes == Quotes::WhenNeeded && is_plain(*text)) {
      out += *text;
    } else {
      append_escaped(out, *text);
    }
  } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
    fmt::format_to(std::back_inserter(out), "{}", *integer);
  } else if (const auto* number = std::get_if<double>(&field.value)) {
    append_number(out, *number);
  } else {
    out += std::get<bool>(field.value) ? "true" : "false";
  }
}

}  // namespace

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::Debug: return "debug";
    case LogLevel::Info: return "info";
    case LogLevel::Warning: return "warning";
    case LogLevel::Error: return "error";
  }
  std::unreachable();
}

std::string format_log_line(LogFormat format, WallTime time, LogLevel level, std::string_view event,
                            std::span<const LogField> fields) {
  constexpr std::size_t kToMilliseconds = 23;  // of the 30 of the nanosecond form
  const std::string stamp = format_rfc3339_nano(time).substr(0, kToMilliseconds) + "Z";
  std::string out;
  out.reserve(256);
  if (format == LogFormat::Text) {
    fmt::format_to(std::back_inserter(out), "{} {:7} {}", stamp, to_string(level), event);
    for (const LogField& field : fields) {
      out.append(" ").append(field.name).append("=");
      append_value(out, field, Quotes::WhenNeeded);
    }
    return out;
  }
  fmt::format_to(std::back_inserter(out), R"({{"time":"{}","level":"{}","event":)", stamp,
                 to_string(level));
  append_escaped(out, event);
  for (const LogField& field : fields) {
    out += ',';
    append_escaped(out, field.name);
    out += ':';
    append_value(out, field, Quotes::Always);
  }
  out += '}';
  return out;
}

}  // namespace sluice
