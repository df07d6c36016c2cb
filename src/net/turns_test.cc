#include "net/turns.h"

#include <gtest/gtest.h>

#include "net/task_group.h"
#include "testing/test_loop.h"

namespace sluice::net {
namespace {

net::Task<> take_turn(Turns& turns, std::vector<int>& order, int number) {
  const Result<> turn = co_await turns.take();
  order.push_back(turn ? number : -number);
}

TEST(Turns, GoInTheOrderTheyWereAskedFor) {
  net::EventLoop loop;
  Turns turns(loop.executor(), 1);
  net::TaskGroup tasks(loop.executor());
  std::vector<int> order;
  for (int number : {1, 2, 3}) tasks.spawn("turn", take_turn(turns, order, number));
  testing::run_until_idle(loop);
  EXPECT_EQ(order, (std::vector{1}));
  turns.pass();
  testing::run_until_idle(loop);
  turns.pass();
  testing::run_until_empty(loop, tasks);
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(Turns, ACancelledWaiterIsPassedOver) {
  net::EventLoop loop;
  Turns turns(loop.executor(), 1);
  net::TaskGroup first(loop.executor());
  net::TaskGroup second(loop.executor());
  net::TaskGroup third(loop.executor());
  std::vector<int> order;
  first.spawn("turn", take_turn(turns, order, 1));
  testing::run_until_idle(loop);
  second.spawn("turn", take_turn(turns, order, 2));
  testing::run_until_idle(loop);
  third.spawn("turn", take_turn(turns, order, 3));
  testing::run_until_idle(loop);

  second.cancel();
  testing::run_until_empty(loop, second);
  turns.pass();
  testing::run_until_empty(loop, third);
  EXPECT_EQ(order, (std::vector{1, -2, 3}));
}

TEST(Turns, SoManyAreTakenAtOnce) {
  net::EventLoop loop;
  Turns turns(loop.executor(), 2);
  net::TaskGroup tasks(loop.executor());
  std::vector<int> order;
  for (int number : {1, 2, 3, 4, 5}) tasks.spawn("turn", take_turn(turns, order, number));
  testing::run_until_idle(loop);
  EXPECT_EQ(order, (std::vector{1, 2}));
  turns.pass();
  turns.pass();  // before the one that has the first of both can run
  testing::run_until_idle(loop);
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4}));
  turns.pass();
  turns.pass();
  turns.pass();  // nobody waits for the last one
  testing::run_until_empty(loop, tasks);
  tasks.spawn("turn", take_turn(turns, order, 6));
  testing::run_until_empty(loop, tasks);
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace sluice::net
