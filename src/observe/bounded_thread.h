// BoundedThread: a thread that writes to what may take nothing for ever: a pipe that nobody reads,
// a file server that is gone. Nothing ends such a call, so the thread's end is waited for only so
// long; then it is left to the end of the process.
#pragma once

#include <functional>
#include <future>
#include <thread>

#include "base/clock.h"

namespace sluice {

class BoundedThread {
 public:
  /// `run` owns what it uses: it may outlive everything else. join_within() is called before the
  /// destructor.
  explicit BoundedThread(std::function<void()> run);

  /// False: it hangs, and will touch only what it owns.
  bool join_within(nanoseconds patience);

 private:
  std::future<void> ended_;
  std::thread thread_;
};

}  // namespace sluice
