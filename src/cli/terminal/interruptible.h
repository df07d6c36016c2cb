// Interruptible: waiting for descriptors and for time in a program without a loop, until a signal
// comes. The signals are blocked (program.cc), so each wait looks for them.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace sluice::cli {

class Interruptible {
 public:
  Interruptible();

  /// Errors of all: Cancelled: a signal came, which signal() names.
  Result<> sleep_until(MonotonicTime time);
  /// What there is, some 64 KiB at most; empty: its end. Errors: Internal, too.
  Result<std::string> read(int descriptor);
  /// All of it. Errors: Unavailable: nobody reads it; Internal.
  Result<> write(int descriptor, std::string_view text);

  int signal() const { return signal_; }

 private:
  Result<> wait(int descriptor, short events, int timeout_ms);

  UniqueFd signals_;
  int signal_ = 0;
};

}  // namespace sluice::cli
