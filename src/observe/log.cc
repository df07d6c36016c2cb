#include "observe/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "observe/log_line.h"
#include "observe/log_queue.h"

namespace sluice {
namespace {

struct Log {
  LogLevel level;
  LogFormat format;
  std::unique_ptr<LogQueue> queue;
};

// Set before the first thread starts and cleared after the last ended: threads only read it. The
// one global of the program: a log that must be passed around is one that is not written.
std::unique_ptr<const Log> current;
std::atomic<std::uint64_t> escaped_exceptions = 0;

void write(LogLevel level, std::string_view event, std::span<const LogField> fields) {
  if (!is_logged(level)) return;
  std::string line =
      format_log_line(current->format, std::chrono::system_clock::now(), level, event, fields);
  line += '\n';
  current->queue->push(std::move(line));
}

}  // namespace

void start_logging(LogLevel level, LogFormat format) {
  current = std::make_unique<const Log>(level, format, std::make_unique<LogQueue>(STDERR_FILENO));
}

void stop_logging() {
  if (const std::uint64_t dropped = dropped_log_lines(); dropped > 0) {
    log(LogLevel::Warning, "log lines dropped", {{"lines", dropped}});
  }
  current.reset();  // the queue's destructor writes what is queued and joins its thread
}

bool is_logged(LogLevel level) { return current != nullptr && level >= current->level; }

std::uint64_t dropped_log_lines() { return current ? current->queue->dropped() : 0; }

std::uint64_t escaped_exception_count() {
  return escaped_exceptions.load(std::memory_order_relaxed);
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  write(level, event, fields);
}

void log(LogLevel level, std::string_view event, std::span<const LogField> fields) {
  write(level, event, fields);
}

void log(LogLevel level, std::string_view event, const Error& error,
         std::initializer_list<LogField> fields) {
  if (!is_logged(level)) return;
  std::vector<LogField> all(fields);
  all.emplace_back("code", to_string(error.code));
  all.emplace_back("message", error.message);
  if (!error.details.empty()) all.emplace_back("details", error.details);
  if (!error.cause.empty()) all.emplace_back("cause", error.cause);
  write(level, event, all);
}

void log_escaped_exception(std::string_view task, const std::exception_ptr& exception) {
  escaped_exceptions.fetch_add(1, std::memory_order_relaxed);
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    log(LogLevel::Error, "exception out of a task", {{"task", task}, {"what", error.what()}});
  } catch (...) {
    log(LogLevel::Error, "exception out of a task", {{"task", task}, {"what", "unknown"}});
  }
}

}  // namespace sluice
