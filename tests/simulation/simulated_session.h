// SimulatedSession: one session from its start to its end on virtual time, between a client and a
// pod that do what the dice say: talk, stop reading, go away, die. Checks after each step what must
// always hold.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "net/task_group.h"
#include "session/clock_jump.h"
#include "simulation/subject.h"
#include "testing/memory_pipe.h"
#include "testing/virtual_clock.h"

namespace sluice::simulation {

class SimulatedSession final {
 public:
  explicit SimulatedSession(std::uint64_t seed);
  ~SimulatedSession();

  /// Plays it to its end. What does not hold fails the current test.
  void play();

 private:
  struct Client {
    Client(net::EventLoop& loop, std::unique_ptr<net::Stream> stream, net::Timers& timers,
           Random& random);
    ws::Connection socket;
    net::TaskGroup reader;
    net::TaskGroup writer;
    net::Event said;
    std::deque<std::optional<std::string>> outbox;  // nullopt: Close
    std::string message;  // as far as it has come
    bool closing = false;
    std::optional<ws::Close> closed;  // what the server sent
  };

  net::Task<> serve();
  net::Task<> client_reads();
  net::Task<> client_writes();
  void step();
  void client_acts();
  void world_acts();
  void wait_for_end();
  void check() const;
  void check_end() const;

  Dice dice_;
  net::EventLoop loop_;
  testing::VirtualClock clock_;
  testing::SeededRandom random_;
  testing::MemoryPipe pipe_;
  session::Interruption interruption_;
  WallTime token_expires_at_ = WallTime::max();
  session::ClockJump clock_jump_;
  MonotonicTime client_closed_at_ = MonotonicTime::max();
  std::unique_ptr<Subject> subject_;
  ws::Connection socket_;
  Client client_;
  net::TaskGroup session_;
  int ends_ = 0;
  std::optional<session::SessionEnd> end_;
  MonotonicTime ended_at_;
};

}  // namespace sluice::simulation
