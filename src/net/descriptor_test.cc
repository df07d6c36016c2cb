#include "net/descriptor.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "testing/test_loop.h"

namespace sluice::net {
namespace {

class DescriptorTest : public ::testing::Test {
 protected:
  DescriptorTest() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
    near_.emplace(loop_.executor(), UniqueFd(ends[0]));
    far_.reset(ends[1]);
  }

  EventLoop loop_;
  std::optional<Descriptor> near_;
  UniqueFd far_;
};

TEST_F(DescriptorTest, IsMadeNonBlocking) {
  char byte = 0;
  EXPECT_EQ(::read(near_->fd(), &byte, 1), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(DescriptorTest, WaitsForBytesAndForAnEnd) {
  char byte = 'x';
  ASSERT_EQ(::write(far_.get(), &byte, 1), 1);
  EXPECT_TRUE(testing::run(loop_, near_->readable()));
  ASSERT_EQ(::read(near_->fd(), &byte, 1), 1);
  far_.reset();
  EXPECT_TRUE(testing::run(loop_, near_->readable()));
  EXPECT_EQ(::read(near_->fd(), &byte, 1), 0);
}

TEST_F(DescriptorTest, OneTaskReadsWhileAnotherWrites) {
  TaskGroup group(loop_.executor());
  std::optional<Result<>> readable, writable;
  group.spawn("read", testing::store_result(near_->readable(), readable));
  group.spawn("write", testing::store_result(near_->writable(), writable));
  testing::run_until_idle(loop_);
  EXPECT_FALSE(readable);
  ASSERT_EQ(::write(far_.get(), "x", 1), 1);
  testing::run_until_empty(loop_, group);
  EXPECT_TRUE(readable && *readable);
  EXPECT_TRUE(writable && *writable);
}

TEST_F(DescriptorTest, CloseEndsAWaitWithCancelled) {
  TaskGroup group(loop_.executor());
  std::optional<Result<>> readable;
  group.spawn("read", testing::store_result(near_->readable(), readable));
  testing::run_until_idle(loop_);
  near_->close();
  testing::run_until_empty(loop_, group);
  ASSERT_TRUE(readable && !*readable);
  EXPECT_EQ(readable->error().code, ErrorCode::Cancelled);
  EXPECT_EQ(testing::run(loop_, near_->readable()).error().code, ErrorCode::Cancelled);
}

TEST_F(DescriptorTest, DestructionClosesTheDescriptor) {
  near_.reset();
  char byte = 0;
  EXPECT_EQ(::read(far_.get(), &byte, 1), 0);
}

}  // namespace
}  // namespace sluice::net
