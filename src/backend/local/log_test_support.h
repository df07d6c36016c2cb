// What the tests of the log store share: a directory that goes away, and a clock that a test sets.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/clock.h"

namespace sluice::backend::local {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-log-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = std::move(pattern);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Starts at 2026-01-01T00:00:00Z.
class SetClock final : public Clock {
 public:
  MonotonicTime now() const override { return MonotonicTime(wall.time_since_epoch()); }
  WallTime wall_now() const override { return wall; }

  WallTime wall{seconds(1'767'225'600)};
};

}  // namespace sluice::backend::local
