#include <gtest/gtest.h>

#include "net/task_group.h"
#include "testing/memory_pipe.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;

net::Task<> tick(net::Timers& timers, nanoseconds interval, std::vector<MonotonicTime>& ticks) {
  while (true) {
    const Result<> woken = co_await timers.sleep_for(interval);
    if (!woken) break;
    ticks.push_back(timers.now());
  }
}

TEST(VirtualClock, AdvanceWakesARepeatedSleeperAtEachOfItsDeadlines) {
  net::EventLoop loop;
  VirtualClock clock(loop);
  net::TaskGroup tasks(loop.executor());
  const MonotonicTime start = clock.now();
  std::vector<MonotonicTime> ticks;
  tasks.spawn("tick", tick(clock, 30s, ticks));

  clock.advance(90s);

  EXPECT_EQ(ticks, (std::vector{start + 30s, start + 60s, start + 90s}));
  tasks.cancel();
  run(loop, tasks.join());
  EXPECT_EQ(clock.sleeping(), 0u);
}

TEST(VirtualClock, WallTimeMovesAlongAndCanJumpAlone) {
  net::EventLoop loop;
  VirtualClock clock(loop);
  const WallTime wall = clock.wall_now();
  const MonotonicTime start = clock.now();
  clock.advance(5s);
  clock.jump_wall_clock(-1h);
  EXPECT_EQ(clock.wall_now(), wall + 5s - 1h);
  EXPECT_EQ(clock.now(), start + 5s);
}

TEST(VirtualClock, ASleepIntoThePastEndsAtOnce) {
  net::EventLoop loop;
  VirtualClock clock(loop);
  EXPECT_TRUE(run(loop, clock.sleep_until(clock.now() - 1s)));
}

net::Task<> keep_schedule(net::Timers& timers, net::Event& event,
                          std::vector<MonotonicTime>& wakes) {
  while (true) {
    const Result<> woken = co_await timers.wait_until(event, timers.now() + 30s);
    if (!woken) break;
    wakes.push_back(timers.now());
  }
}

TEST(VirtualClock, AWaitEndsWithItsEventOrAtItsDeadline) {
  net::EventLoop loop;
  VirtualClock clock(loop);
  net::Event event(loop.executor());
  net::TaskGroup tasks(loop.executor());
  const MonotonicTime start = clock.now();
  std::vector<MonotonicTime> wakes;
  tasks.spawn("schedule", keep_schedule(clock, event, wakes));

  clock.advance(40s);
  event.notify();
  clock.advance(29s);
  EXPECT_EQ(wakes, (std::vector{start + 30s, start + 40s}));
  clock.advance(1s);

  EXPECT_EQ(wakes, (std::vector{start + 30s, start + 40s, start + 70s}));
  tasks.cancel();
  run(loop, tasks.join());
  EXPECT_EQ(clock.sleeping(), 0u);
}

net::Task<> echo(std::unique_ptr<net::Stream> stream) {
  std::array<std::byte, 7> buffer;
  while (true) {
    const auto count = co_await stream->read(buffer);
    if (!count || *count == 0) break;
    const auto written = co_await stream->write(std::span(buffer).first(*count));
    if (!written) break;
  }
  stream->shutdown_write();
}

net::Task<std::string> read_all(net::Stream& stream) {
  std::string all;
  std::array<std::byte, 100> buffer;
  while (true) {
    const auto count = co_await stream.read(buffer);
    if (!count || *count == 0) break;
    all += as_text(std::span(buffer).first(*count));
  }
  co_return all;
}

TEST(MemoryPipe, CarriesBytesBothWaysThroughSmallFragmentsAndBuffers) {
  net::EventLoop loop;
  MemoryPipe pipe(loop, {.capacity = 5, .fragment = 3});
  net::TaskGroup tasks(loop.executor());
  tasks.spawn("echo", echo(std::move(pipe.server)));
  std::string answer;
  const std::string question = "the bytes of a message";
  net::TaskGroup writer(loop.executor());
  struct Write {
    static net::Task<> all(net::Stream& stream, std::string text) {
      const Result<> written = co_await stream.write(as_bytes(text));
      EXPECT_TRUE(written);
      stream.shutdown_write();
    }
  };
  writer.spawn("write", Write::all(*pipe.client, question));
  EXPECT_EQ(run(loop, read_all(*pipe.client)), question);
  run_until_empty(loop, writer);
  run_until_empty(loop, tasks);
}

TEST(MemoryPipe, TakesNoMoreThanItsCapacityUntilTheReaderReads) {
  net::EventLoop loop;
  MemoryPipe pipe(loop, {.capacity = 4});
  EXPECT_EQ(pipe.client->try_write(as_bytes("abcdef")), 4u);
  EXPECT_EQ(pipe.client->try_write(as_bytes("ef")), 0u);
  EXPECT_EQ(pipe.under_way_to_server(), 4u);
  std::array<std::byte, 2> buffer;
  EXPECT_EQ(pipe.server->try_read(buffer).value(), 2u);
  EXPECT_TRUE(run(loop, pipe.client->writable()));
  EXPECT_EQ(pipe.client->try_write(as_bytes("ef")), 2u);
}

TEST(MemoryPipe, ResetEndsAPendingReadAsUnavailable) {
  net::EventLoop loop;
  MemoryPipe pipe(loop);
  pipe.reset();
  std::array<std::byte, 2> buffer;
  const auto count = run(loop, pipe.client->read(buffer));
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, ErrorCode::Unavailable);
}

TEST(MemoryPipe, CloseLetsThePeerReadWhatWasSent) {
  net::EventLoop loop;
  MemoryPipe pipe(loop);
  EXPECT_EQ(pipe.client->try_write(as_bytes("last words")), 10u);
  pipe.client.reset();
  EXPECT_EQ(run(loop, read_all(*pipe.server)), "last words");
  EXPECT_FALSE(pipe.server->try_write(as_bytes("x")));
}

net::Task<Result<>> wait_for(net::Event& event) { co_return co_await event.wait(); }

TEST(TestLoop, CancellingReachesATaskThatWaits) {
  net::EventLoop loop;
  net::Event never(loop.executor());
  std::optional<Result<>> result;
  net::TaskGroup tasks(loop.executor());
  tasks.spawn("wait", store_result(wait_for(never), result));
  run_until_idle(loop);
  EXPECT_FALSE(result);
  tasks.cancel();
  run_until_empty(loop, tasks);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().code, ErrorCode::Cancelled);
}

}  // namespace
}  // namespace sluice::testing
