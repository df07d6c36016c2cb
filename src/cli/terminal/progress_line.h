// ProgressLine: how far a transfer is, as a line on stderr that is drawn anew a few times a second.
// Where stderr is no terminal, there is none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace sluice::cli {

/// "1.5 GiB", "100 B".
std::string format_size(double bytes);
/// "12.0 MiB of 48.0 MiB (25%), 3.1 MiB/s".
std::string progress_text(std::uint64_t done, std::optional<std::uint64_t> total,
                          nanoseconds elapsed);

class ProgressLine {
 public:
  static constexpr nanoseconds kInterval = milliseconds(250);

  /// `total`: nullopt: not known. `clock` outlives it.
  ProgressLine(std::string subject, std::optional<std::uint64_t> total, const Clock& clock);
  /// Clears the line, if finish() was not called.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// The total, once it is known.
  void expect(std::uint64_t total) { total_ = total; }
  void add(std::uint64_t bytes);
  /// The line stays, with how it ended.
  void finish();

 private:
  void draw(std::string_view end) const;

  std::string subject_;
  std::optional<std::uint64_t> total_;
  const Clock& clock_;
  MonotonicTime begin_;
  MonotonicTime next_;
  std::uint64_t done_ = 0;
  bool is_shown_;
};

}  // namespace sluice::cli
