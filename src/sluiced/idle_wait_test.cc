#include "sluiced/idle_wait.h"

#include <optional>

#include <gtest/gtest.h>

#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::sluiced {
namespace {

using gateway::Busy;
using gateway::Newcomer;

struct IdleWaitTest : ::testing::Test {
  void begin(Newcomers newcomers = Newcomers::NotAwaited) {
    tasks.spawn("wait", testing::store_result(idle_wait.wait(seconds(30), newcomers), end));
    testing::run_until_idle(loop);
  }

  net::EventLoop loop;
  testing::VirtualClock clock{loop};
  IdleWait idle_wait{loop, clock};
  std::optional<WaitEnd> end;
  net::TaskGroup tasks{loop.executor()};
};

TEST_F(IdleWaitTest, NothingUnderWayIsNothingToWaitFor) {
  begin();
  EXPECT_EQ(end, WaitEnd::Idle);
}

TEST_F(IdleWaitTest, EndsWithTheLastThatIsUnderWay) {
  std::optional<Busy> first(idle_wait.activity());
  std::optional<Busy> last(idle_wait.activity());
  begin();
  first.reset();
  testing::run_until_idle(loop);
  EXPECT_EQ(end, std::nullopt);
  last.reset();
  testing::run_until_idle(loop);
  EXPECT_EQ(end, WaitEnd::Idle);
}

TEST_F(IdleWaitTest, PatienceIsLimited) {
  const Busy busy(idle_wait.activity());
  begin();
  clock.advance(seconds(29));
  EXPECT_EQ(end, std::nullopt);
  clock.advance(seconds(1));
  EXPECT_EQ(end, WaitEnd::OutOfPatience);
}

TEST_F(IdleWaitTest, HurryEndsOneWait) {
  const Busy busy(idle_wait.activity());
  begin();
  idle_wait.hurry();
  testing::run_until_idle(loop);
  EXPECT_EQ(end, WaitEnd::Hurried);
  end.reset();
  begin();
  EXPECT_EQ(end, std::nullopt);
  clock.advance(seconds(30));
}

TEST_F(IdleWaitTest, HurryBeforeTheWaitEndsIt) {
  const Busy busy(idle_wait.activity());
  idle_wait.hurry();
  begin();
  EXPECT_EQ(end, WaitEnd::Hurried);
}

TEST_F(IdleWaitTest, HurryIsToldOfWhereNothingIsUnderWay) {
  idle_wait.hurry();
  begin();
  EXPECT_EQ(end, WaitEnd::Hurried);
  end.reset();
  begin();
  EXPECT_EQ(end, WaitEnd::Idle);
}

TEST_F(IdleWaitTest, NewcomersAreAwaitedOnDemand) {
  Newcomer newcomer(idle_wait.activity());
  begin();
  EXPECT_EQ(end, WaitEnd::Idle);
  end.reset();
  begin(Newcomers::Awaited);
  EXPECT_EQ(end, std::nullopt);
  newcomer.settle();
  testing::run_until_idle(loop);
  EXPECT_EQ(end, WaitEnd::Idle);
}

}  // namespace
}  // namespace sluice::sluiced
