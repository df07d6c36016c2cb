// asciicast v2, the file format of recorded terminal sessions: a line of JSON that describes the
// whole, and one for each event (https://docs.asciinema.org/manual/asciicast/v2/). Single lines
// only: asciicast_encoder.h makes events of what a session carries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace sluice::recording {

struct Header {
  unsigned width = 80;
  unsigned height = 24;
  std::int64_t timestamp = 0;  // when it began, in seconds since 1970; 0: not known
  std::string command;         // may be empty, as may be the title
  std::string title;
  bool operator==(const Header&) const = default;
};

/// What players don't know they pass over; Other stands for what we don't know.
enum class EventType : char { Output = 'o', Input = 'i', Resize = 'r', Marker = 'm', Other = '?' };

struct Event {
  nanoseconds time{};  // since the beginning; written in microseconds
  EventType type = EventType::Output;
  std::string text;  // of a Resize "COLUMNSxROWS", of a Marker its label
  bool operator==(const Event&) const = default;
};

/// How the marker begins that ends a recording which could not go on as long as its session did.
inline constexpr std::string_view kIncompleteMark = "recording incomplete: ";

/// The line, its end included. Text that is not UTF-8 is the caller's defect.
std::string format_header(const Header& header);
/// Appends the line.
void append_event(std::string& lines, nanoseconds time, EventType type, std::string_view text);

/// One line, with or without its end. Errors: InvalidArgument, saying what is wrong with it.
Result<Header> parse_header(std::string_view line);
Result<Event> parse_event(std::string_view line);

}  // namespace sluice::recording
