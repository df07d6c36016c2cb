#include "backend/kubernetes/api/connection_pool.h"

#include <gtest/gtest.h>

#include "testing/memory_pipe.h"
#include "testing/virtual_clock.h"

namespace sluice::backend::kubernetes {
namespace {

class ConnectionPoolTest : public ::testing::Test {
 protected:
  std::unique_ptr<PooledConnection> make(net::EventLoop& loop) {
    pipes_.push_back(std::make_unique<testing::MemoryPipe>(loop));
    return std::make_unique<PooledConnection>(std::move(pipes_.back()->client), "h", "");
  }
  /// Whether the client's end of the pipe is closed.
  bool is_closed(std::size_t pipe) {
    std::byte byte;
    return pipes_[pipe]->server->try_read({&byte, 1}) == 0U;
  }

  net::EventLoop loop_, other_loop_;
  testing::VirtualClock clock_{loop_};
  std::vector<std::unique_ptr<testing::MemoryPipe>> pipes_;
  ConnectionPool pool_{clock_};
};

TEST_F(ConnectionPoolTest, LastUsedIsFirstTaken) {
  auto first = make(loop_), second = make(loop_);
  PooledConnection* const last = second.get();
  pool_.give(loop_.executor(), std::move(first));
  pool_.give(loop_.executor(), std::move(second));
  EXPECT_EQ(pool_.take(loop_.executor()).get(), last);
  EXPECT_NE(pool_.take(loop_.executor()), nullptr);
  EXPECT_EQ(pool_.take(loop_.executor()), nullptr);
}

TEST_F(ConnectionPoolTest, ConnectionStaysOnItsLoop) {
  pool_.give(loop_.executor(), make(loop_));
  EXPECT_EQ(pool_.take(other_loop_.executor()), nullptr);
  pool_.close(other_loop_.executor());
  EXPECT_NE(pool_.take(loop_.executor()), nullptr);
}

TEST_F(ConnectionPoolTest, ALoopKeepsSomeAndClosesTheOthers) {
  for (std::size_t i = 0; i <= ConnectionPool::kMaxPerLoop; ++i) {
    pool_.give(loop_.executor(), make(loop_));
  }
  EXPECT_FALSE(is_closed(ConnectionPool::kMaxPerLoop - 1));
  EXPECT_TRUE(is_closed(ConnectionPool::kMaxPerLoop));
}

TEST_F(ConnectionPoolTest, IdleOnesAreClosedByTheNextRequestOfTheirLoop) {
  pool_.give(loop_.executor(), make(loop_));
  clock_.advance(ConnectionPool::kMaxIdle + seconds(1));
  EXPECT_EQ(pool_.take(other_loop_.executor()), nullptr);
  EXPECT_FALSE(is_closed(0));
  EXPECT_EQ(pool_.take(loop_.executor()), nullptr);
  EXPECT_TRUE(is_closed(0));
}

TEST_F(ConnectionPoolTest, IdleOnesOfALoopThatAsksNothingAreClosedOnDemand) {
  pool_.give(loop_.executor(), make(loop_));
  clock_.advance(ConnectionPool::kMaxIdle);
  pool_.give(loop_.executor(), make(loop_));
  clock_.advance(seconds(1));
  pool_.close_idle(other_loop_.executor());
  EXPECT_FALSE(is_closed(0));
  pool_.close_idle(loop_.executor());
  EXPECT_TRUE(is_closed(0));
  EXPECT_FALSE(is_closed(1));
}

TEST_F(ConnectionPoolTest, CloseEndsThoseOfOneLoop) {
  pool_.give(loop_.executor(), make(loop_));
  pool_.close(loop_.executor());
  EXPECT_TRUE(is_closed(0));
}

}  // namespace
}  // namespace sluice::backend::kubernetes
