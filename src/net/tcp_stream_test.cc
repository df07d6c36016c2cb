#include "net/tcp_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <limits>

#include <gtest/gtest.h>

#include "net/listener.h"
#include "testing/test_loop.h"

namespace sluice::net {
namespace {

class TcpStreamTest : public ::testing::Test {
 protected:
  TcpStreamTest() {
    auto listener = Listener::open(loop_.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
    client_ = *testing::run(loop_, connect_tcp("127.0.0.1", listener->address().port));
    stream_ = *testing::run(loop_, listener->accept(timers_));
  }

  /// What the kernel made of it, in milliseconds.
  int user_timeout_after(milliseconds timeout) {
    stream_->set_user_timeout(timeout);
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(stream_->fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size);
    return value;
  }

  EventLoop loop_;
  SystemTimers timers_;
  std::unique_ptr<TcpStream> client_, stream_;
};

TEST_F(TcpStreamTest, UserTimeoutsThatTheKernelCannotHoldAreItsLongest) {
  constexpr int kLongest = std::numeric_limits<int>::max();
  EXPECT_EQ(user_timeout_after(seconds(3)), 3000);
  EXPECT_EQ(user_timeout_after(milliseconds(kLongest - 1)), kLongest - 1);
  for (const milliseconds timeout :
       {milliseconds(std::int64_t{1} << 31), milliseconds((std::int64_t{1} << 32) + 5),
        milliseconds(std::chrono::hours(87'600)), milliseconds::max()}) {
    user_timeout_after(seconds(3));
    EXPECT_EQ(user_timeout_after(timeout), kLongest) << timeout.count();
  }
}

}  // namespace
}  // namespace sluice::net
