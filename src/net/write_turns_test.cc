#include "net/write_turns.h"

#include <gtest/gtest.h>

#include "net/task_group.h"
#include "testing/test_loop.h"

namespace sluice::net {
namespace {

net::Task<> take_turn(WriteTurns& turns, std::vector<int>& order, int number) {
  const Result<> turn = co_await turns.take();
  order.push_back(turn ? number : -number);
}

TEST(WriteTurns, GoInTheOrderTheyWereAskedFor) {
  net::EventLoop loop;
  WriteTurns turns(loop.executor());
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

TEST(WriteTurns, ACancelledWaiterIsPassedOver) {
  net::EventLoop loop;
  WriteTurns turns(loop.executor());
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

}  // namespace
}  // namespace sluice::net
