// A session under test between its two neighbours: a WebSocket client that a test drives, over a
// pipe that it can clog or break, and the end that the gateway would put on it. Time is virtual.
#pragma once

#include <gtest/gtest.h>

#include "session/session.h"
#include "testing/fake_streams.h"
#include "testing/memory_pipe.h"
#include "testing/seeded_random.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::session {

/// The client: collects what it gets, and says what the test wants.
class TestClient final {
 public:
  TestClient(net::EventLoop& loop, std::unique_ptr<net::Stream> stream, net::Timers& timers,
             Random& random);
  ~TestClient();

  /// Sends one message, and waits until it is in the pipe.
  void send(std::string_view message);
  /// Sends as much as the pipe takes, behind the test's back.
  void start_sending(std::string message);
  void close(ws::CloseCode code = ws::CloseCode::Normal);
  /// Puts these bytes on the wire as they are.
  void send_raw(std::string bytes);
  void start_reading();
  void stop_reading();

  std::vector<std::string> messages;
  std::string all;                  // of their bytes
  std::optional<ws::Close> closed;  // by the server; Abnormal: without a Close

 private:
  net::Task<> read();
  net::Task<> send_all(std::string message);

  net::EventLoop& loop_;
  net::Stream* stream_;  // the connection's
  ws::Connection socket_;
  net::TaskGroup reader_;
  net::TaskGroup writer_;
  std::string message_;  // as far as it has come
};

class SessionTest : public ::testing::Test {
 protected:
  SessionTest();
  /// Ends the session before what it works on, which derived tests own, is destroyed.
  void TearDown() override;

  SessionContext context();
  /// Runs a session as the gateway does: its end becomes a Close.
  void start(net::Task<SessionEnd> session);
  void settle() { testing::run_until_idle(loop); }
  /// Waits for its end, which must come without time passing.
  SessionEnd finish();
  bool is_running() const { return !end; }

  net::EventLoop loop;
  testing::VirtualClock clock{loop};
  testing::SeededRandom random;
  testing::MemoryPipe pipe{loop};
  Interruption interruption{loop.executor()};
  SessionStats stats;
  WallTime token_expires_at = WallTime::max();
  ws::Connection socket;
  TestClient client;
  std::optional<SessionEnd> end;

 private:
  net::Task<> serve(net::Task<SessionEnd> session);

  net::TaskGroup tasks_;
};

}  // namespace sluice::session
