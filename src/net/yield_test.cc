#include "net/yield.h"

#include <gtest/gtest.h>

#include "net/task_group.h"
#include "testing/test_loop.h"

namespace sluice::net {
namespace {

Task<> count(std::string& order, char name, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    order += name;
    const Result<> yielded = co_await yield();
    if (!yielded) co_return;
  }
}

TEST(Yield, TasksTakeTurns) {
  EventLoop loop;
  TaskGroup tasks(loop.executor());
  std::string order;
  tasks.spawn("a", count(order, 'a', 3));
  tasks.spawn("b", count(order, 'b', 3));
  testing::run_until_empty(loop, tasks);
  EXPECT_EQ(order, "ababab");
}

TEST(Yield, ACancelledTaskEnds) {
  EventLoop loop;
  TaskGroup tasks(loop.executor());
  std::string order;
  tasks.spawn("a", count(order, 'a', 1'000'000));
  while (order.size() < 3) loop.context().run_one();
  tasks.cancel();
  testing::run_until_empty(loop, tasks);
  EXPECT_LE(order.size(), 4u);
}

}  // namespace
}  // namespace sluice::net
