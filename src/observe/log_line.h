// How one event becomes one line of the log: JSON for machines, text for people. Pure: log.cc
// queues it.
#pragma once

#include <span>
#include <string>

#include "base/clock.h"
#include "observe/log.h"

namespace sluice {

/// Without the final newline. JSON: {"time":"2026-01-02T03:04:05.006Z","level":"info","event":…,
/// fields…}; text: "2026-01-02T03:04:05.006Z info  event name=value other=\"two words\"". Whatever
/// the strings hold, the result is one line of valid UTF-8.
std::string format_log_line(LogFormat format, WallTime time, LogLevel level, std::string_view event,
                            std::span<const LogField> fields);

std::string_view to_string(LogLevel level);

}  // namespace sluice
