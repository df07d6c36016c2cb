#include "observe/log.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "observe/log_line.h"

namespace sluice {
namespace {

constexpr std::size_t kQueueLines = 8192;

struct Log {
  LogLevel level;
  LogFormat format;
  std::shared_ptr<spdlog::details::thread_pool> writer;
  std::shared_ptr<spdlog::async_logger> logger;
};

// Set before the first thread starts and cleared after the last ended: threads only read it. The
// one global of the program: a log that must be passed around is one that is not written.
std::unique_ptr<const Log> current;
std::atomic<std::uint64_t> escaped_exceptions = 0;

void write(LogLevel level, std::string_view event, std::span<const LogField> fields) {
  if (!is_logged(level)) return;
  const std::string line =
      format_log_line(current->format, std::chrono::system_clock::now(), level, event, fields);
  current->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

void start_logging(LogLevel level, LogFormat format) {
  auto writer = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::async_logger>(
      "sluiced", std::move(sink), writer, spdlog::async_overflow_policy::overrun_oldest);
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  current = std::make_unique<const Log>(Log{level, format, std::move(writer), std::move(logger)});
}

void stop_logging() {
  if (const std::uint64_t dropped = dropped_log_lines(); dropped > 0) {
    log(LogLevel::Warning, "log lines dropped", {{"lines", dropped}});
  }
  current.reset();  // the writer's destructor writes what is queued and joins its thread
}

bool is_logged(LogLevel level) { return current != nullptr && level >= current->level; }

std::uint64_t dropped_log_lines() { return current ? current->writer->overrun_counter() : 0; }

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
