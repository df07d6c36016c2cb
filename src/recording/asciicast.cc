#include "recording/asciicast.h"

#include <cmath>

#include <fmt/format.h>

#include "base/json.h"

namespace sluice::recording {
namespace {

constexpr std::int64_t kVersion = 2;
constexpr std::int64_t kMaxCells = 65'535;
/// Thirty years: what a header or event says beyond it is no time.
constexpr double kMaxSeconds = 1e9;

std::unexpected<Error> invalid(std::string why) {
  return fail(ErrorCode::InvalidArgument, std::move(why));
}

Result<unsigned> read_cells(const json::object& header, std::string_view name) {
  const auto cells = json::find_int64(header, name);
  if (cells && *cells > 0 && *cells <= kMaxCells) return static_cast<unsigned>(*cells);
  return invalid(fmt::format("no {} of 1 to {}", name, kMaxCells));
}

Result<nanoseconds> read_time(const json::value& value) {
  double seconds = -1;
  if (value.is_double()) seconds = value.get_double();
  if (value.is_int64()) seconds = static_cast<double>(value.get_int64());
  if (value.is_uint64()) seconds = static_cast<double>(value.get_uint64());
  if (!(seconds >= 0 && seconds <= kMaxSeconds)) return invalid("its time is no number of seconds");
  return std::chrono::microseconds(std::llround(seconds * 1e6));
}

/// As json::serialize() writes a string, without the copies: this is every byte of every session.
void append_string(std::string& line, std::string_view text) {
  constexpr unsigned char kFirstPrintable = 0x20;
  line += '"';
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char next = text[at];
    const bool is_control = static_cast<unsigned char>(next) < kFirstPrintable;
    if (!is_control && next != '"' && next != '\\') continue;
    line += text.substr(begin, at - begin);
    begin = at + 1;
    switch (next) {
      case '\n': line += "\\n"; break;
      case '\r': line += "\\r"; break;
      case '\t': line += "\\t"; break;
      case '"': line += "\\\""; break;
      case '\\': line += "\\\\"; break;
      default: fmt::format_to(std::back_inserter(line), "\\u{:04x}", static_cast<unsigned>(next));
    }
  }
  line += text.substr(begin);
  line += '"';
}

EventType type_of(std::string_view code) {
  for (const EventType type :
       {EventType::Output, EventType::Input, EventType::Resize, EventType::Marker}) {
    if (code.size() == 1 && code.front() == static_cast<char>(type)) return type;
  }
  return EventType::Other;
}

}  // namespace

std::string format_header(const Header& header) {
  json::object line{{"version", kVersion}, {"width", header.width}, {"height", header.height}};
  if (header.timestamp != 0) line["timestamp"] = header.timestamp;
  if (!header.command.empty()) line["command"] = header.command;
  if (!header.title.empty()) line["title"] = header.title;
  line["env"].emplace_object();
  return json::serialize(line) + '\n';
}

void append_event(std::string& lines, nanoseconds time, EventType type, std::string_view text) {
  constexpr std::int64_t kMicrosecondsOfSecond = 1'000'000;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  fmt::format_to(std::back_inserter(lines), "[{}.{:06}, \"{}\", ", us / kMicrosecondsOfSecond,
                 us % kMicrosecondsOfSecond, static_cast<char>(type));
  append_string(lines, text);
  lines += "]\n";
}

Result<Header> parse_header(std::string_view line) {
  const Result<json::value> value = json::parse(line);
  const json::object* object = value ? value->if_object() : nullptr;
  if (object == nullptr) return invalid("not an asciicast: its first line is no JSON object");
  const auto version = json::find_int64(*object, "version");
  if (!version) return invalid("not an asciicast: its first line has no version");
  if (version != kVersion) {
    return invalid(fmt::format("asciicast version {}; only version 2 can be played", *version));
  }
  Header header;
  TRY(header.width, read_cells(*object, "width"));
  TRY(header.height, read_cells(*object, "height"));
  header.timestamp = json::find_int64(*object, "timestamp").value_or(0);
  header.command = json::text_of(*object, "command");
  header.title = json::text_of(*object, "title");
  return header;
}

Result<Event> parse_event(std::string_view line) {
  TRY(const json::value value, json::parse(line));
  const json::array* fields = value.if_array();
  if (fields == nullptr || fields->size() != 3 || !fields->at(1).is_string() ||
      !fields->at(2).is_string()) {
    return invalid("no event of the form [time, \"type\", \"text\"]");
  }
  Event event;
  TRY(event.time, read_time(fields->at(0)));
  event.type = type_of(std::string_view(fields->at(1).get_string()));
  event.text = std::string_view(fields->at(2).get_string());
  return event;
}

}  // namespace sluice::recording
