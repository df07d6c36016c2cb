#include "cli/terminal/progress_line.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "cli/terminal/console.h"
#include "cli/terminal/terminal.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

std::string format_size(double bytes) {
  constexpr double kStep = 1024;
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < kStep) return fmt::format("{:.0f} {}", bytes, kUnits.front());
  std::size_t unit = 0;
  while (bytes >= kStep && unit + 1 < kUnits.size()) {
    bytes /= kStep;
    ++unit;
  }
  return fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string progress_text(std::uint64_t done, std::optional<std::uint64_t> total,
                          nanoseconds elapsed) {
  constexpr double kPercent = 100;
  const auto bytes = static_cast<double>(done);
  std::string text = format_size(bytes);
  if (total && *total > 0) {
    const auto all = static_cast<double>(*total);
    text += fmt::format(" of {} ({:.0f}%)", format_size(all), kPercent * bytes / all);
  }
  const double passed = std::chrono::duration<double>(elapsed).count();
  if (passed > 0) text += fmt::format(", {}/s", format_size(bytes / passed));
  return text;
}

ProgressLine::ProgressLine(std::string subject, std::optional<std::uint64_t> total,
                           const Clock& clock)
    : subject_(std::move(subject)),
      total_(total),
      clock_(clock),
      begin_(clock.now()),
      next_(begin_ + kInterval),
      is_shown_(is_terminal(STDERR_FILENO)) {}

ProgressLine::~ProgressLine() {
  if (is_shown_) print_error(kClearLine);
}

void ProgressLine::add(std::uint64_t bytes) {
  done_ += bytes;
  if (!is_shown_) return;
  const MonotonicTime now = clock_.now();
  if (now < next_) return;
  next_ = now + kInterval;
  draw("");
}

void ProgressLine::finish() {
  if (is_shown_) draw("\n");
  is_shown_ = false;
}

void ProgressLine::draw(std::string_view end) const {
  // What was announced is the whole, whatever else has passed.
  const std::uint64_t done = std::min(done_, total_.value_or(done_));
  const std::string text = progress_text(done, total_, clock_.now() - begin_);
  // A line that the terminal breaks could not be drawn over.
  const std::size_t columns = terminal_size(STDERR_FILENO).width;
  const std::size_t room = columns - std::min<std::size_t>(columns, text.size() + 3);
  const std::string subject = subject_.substr(0, room);
  print_error(fmt::format("{}{}: {}{}", kClearLine, subject, text, end));
}

}  // namespace sluice::cli
