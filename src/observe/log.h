// Structured logging: one event, some fields, one line of JSON (or text) on stderr. Lines are
// handed to a bounded queue and written by a thread of their own, so logging never blocks a loop;
// when the queue is full, lines are dropped and counted. Tokens and command arguments are never
// passed to it.
#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"

namespace sluice {

enum class LogLevel { Debug, Info, Warning, Error };
enum class LogFormat { Json, Text };

struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
  LogField(std::string_view field, const char* text) : name(field), value(std::string_view(text)) {}
  LogField(std::string_view field, const std::string& text)
      : name(field), value(std::string_view(text)) {}
  LogField(std::string_view field, bool truth) : name(field), value(truth) {}
  LogField(std::string_view field, double number) : name(field), value(number) {}
  template <std::integral Integer>
  LogField(std::string_view field, Integer number)
      : name(field), value(static_cast<std::int64_t>(number)) {}
};

/// Once, from main, before the first thread starts. Without it, logging goes nowhere (unit tests).
void start_logging(LogLevel level, LogFormat format);
/// Writes out what is queued. Once, from main, after the last thread ended.
void stop_logging();

/// Whether lines of that level are written: before costly fields are made.
bool is_logged(LogLevel level);

/// `event` is a fixed sentence ("session ended"); what varies is in the fields. Any thread.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
/// The same with fields that were gathered one by one.
void log(LogLevel level, std::string_view event, std::span<const LogField> fields);
/// The same with code, message and cause of an error as fields.
void log(LogLevel level, std::string_view event, const Error& error,
         std::initializer_list<LogField> fields = {});
/// A defect: an exception came out of the task of that name.
void log_escaped_exception(std::string_view task, const std::exception_ptr& exception);

/// For /metrics: lines lost to a full queue, and exceptions that came out of tasks, so far.
std::uint64_t dropped_log_lines();
std::uint64_t escaped_exception_count();

}  // namespace sluice
