#include "net/read_patience.h"

#include <sys/socket.h>

#include <gtest/gtest.h>

#include "net/listener.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::net {
namespace {

class ReadPatienceTest : public ::testing::Test {
 protected:
  ReadPatienceTest() : clock_(loop_) {
    auto listener = Listener::open(loop_.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
    far_ = *testing::run(loop_, connect_tcp("127.0.0.1", listener->address().port));
    near_ = *testing::run(loop_, listener->accept(clock_));
  }

  /// As a reader does who has read so much at the end of so long.
  void read(std::size_t bytes, nanoseconds time) {
    clock_.advance(time);
    patience_.note_read(bytes);
    patience_.begin_wait(loop_.executor(), near_->fd(), clock_.now());
  }
  void read_bulk() {
    for (std::size_t bytes = 0; bytes <= ReadPatience::kBulkBytes; bytes += 64_KiB) {
      read(64_KiB, ReadPatience::kBulkTime / 16);
    }
  }
  /// Of how many bytes the socket wakes its reader.
  std::size_t wanted() const {
    int value = 0;
    socklen_t size = sizeof value;
    ::getsockopt(near_->fd(), SOL_SOCKET, SO_RCVLOWAT, &value, &size);
    return static_cast<std::size_t>(value);
  }

  EventLoop loop_;
  testing::VirtualClock clock_;
  std::unique_ptr<TcpStream> far_, near_;
  ReadPatience patience_;
};

TEST_F(ReadPatienceTest, BulkIsAwaitedInLargeParts) {
  read_bulk();
  EXPECT_EQ(wanted(), ReadPatience::kWantedBytes);
}

TEST_F(ReadPatienceTest, WhatIsSmallOrSlowIsReadAtOnce) {
  for (int i = 0; i < 1000; ++i) read(100, std::chrono::microseconds(10));
  EXPECT_EQ(wanted(), 1U);
  for (int i = 0; i < 100; ++i) read(64_KiB, ReadPatience::kBulkTime / 7);
  EXPECT_EQ(wanted(), 1U);
  read(ReadPatience::kBulkBytes, ReadPatience::kBulkTime * 2);
  EXPECT_EQ(wanted(), 1U);
}

TEST_F(ReadPatienceTest, TheLastOfBulkIsLateByThePatienceAndEndsIt) {
  read_bulk();
  ASSERT_EQ(*far_->try_write(as_bytes("end")), 3U);
  EXPECT_TRUE(testing::run(loop_, near_->readable()));
  EXPECT_EQ(wanted(), 1U);
  read(3, nanoseconds(1));
  EXPECT_EQ(wanted(), 1U);
}

TEST_F(ReadPatienceTest, AnEndOfStreamIsReadAtOnce) {
  read_bulk();
  far_->shutdown_write();
  EXPECT_TRUE(testing::run(loop_, near_->readable()));
}

}  // namespace
}  // namespace sluice::net
