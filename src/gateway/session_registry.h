// The sessions that run on one loop: to count what they carry while they do, to end them all at
// shutdown, and to tell them that the wall clock was set.
#pragma once

#include <list>

#include "observe/metrics.h"
#include "session/session.h"

namespace sluice::gateway {

class SessionRegistry {
 public:
  class Entry {
   public:
    Entry(net::Executor executor, SessionKind kind, const ws::Connection* socket)
        : interruption(executor), kind_(kind), socket_(socket) {}
    session::Interruption interruption;

   private:
    friend class SessionRegistry;
    const SessionKind kind_;
    const ws::Connection* const socket_;
    std::uint64_t received_counted_ = 0;
    std::uint64_t sent_counted_ = 0;
  };
  using Position = std::list<Entry>::iterator;

  explicit SessionRegistry(Metrics& metrics) : metrics_(metrics) {}

  /// Counts the session. `socket` must stay until remove(); null: the session has none, and counts
  /// its bytes itself.
  Position add(net::Executor executor, SessionKind kind, const ws::Connection* socket);
  void remove(Position entry);

  /// Ends all sessions, also those that are added later, as ShuttingDown (1001).
  void interrupt_all();
  /// Makes all sessions look at the wall clock again.
  void wall_clock_set();
  /// Adds to the metrics what the sessions carried since the last time.
  void count_bytes();

 private:
  void count(Entry& entry);

  Metrics& metrics_;
  std::list<Entry> entries_;
  bool interrupted_ = false;
};

}  // namespace sluice::gateway
