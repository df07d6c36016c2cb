// IdleWait: how a server that ends waits for what is under way, and how a signal shortens that.
#pragma once

#include "gateway/activity.h"
#include "net/event.h"
#include "net/event_loop.h"
#include "net/timers.h"

namespace sluice::sluiced {

/// What ended a wait.
enum class WaitEnd { Idle, OutOfPatience, Hurried };

/// Whether connections that have yet to ask for anything are waited for, too: a server that leaves
/// its listeners to another one owes them an answer.
enum class Newcomers { NotAwaited, Awaited };

class IdleWait {
 public:
  /// Both outlive it, and `loop` what counts itself in activity().
  IdleWait(net::EventLoop& loop, net::Timers& timers);

  /// Where requests and sessions count themselves, on any loop.
  gateway::Activity& activity() { return activity_; }

  // On the loop. One wait at a time.
  /// Until nothing is under way, for `patience` at most, or until somebody is in a hurry.
  net::Task<WaitEnd> wait(nanoseconds patience, Newcomers newcomers = Newcomers::NotAwaited);
  /// Ends the wait, or else the next one, which says so even where all is idle.
  void hurry();

 private:
  bool is_idle(Newcomers newcomers) const;

  net::Executor executor_;
  net::Timers& timers_;
  net::Event changed_;
  gateway::Activity activity_;
  bool hurried_ = false;
};

}  // namespace sluice::sluiced
