#include "backend/local/local_port.h"

#include <sys/socket.h>

#include <vector>

#include <gmock/gmock.h>

#include "backend/local/bound_socket_test_support.h"
#include "backend/local/local_backend_test_support.h"

namespace sluice::backend::local {
namespace {

class LocalPortTest : public LocalBackendTest {
 protected:
  std::uint16_t listen() {
    listener_ = listen_on_loopback();
    return listener_.port;
  }
  Result<std::unique_ptr<PortStream>> connect(std::uint16_t port) {
    return run(loop_, backend_->forward_port(caller_, *resolve(), port));
  }
  UniqueFd accept() {
    return UniqueFd(::accept4(listener_.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  std::string read_some(PortStream& stream) {
    std::byte buffer[64];
    const Result<std::size_t> count = run(loop_, stream.read(buffer));
    return count ? std::string(as_text(Bytes(buffer).first(*count))) : count.error().message;
  }
  void start_and_wait() {
    start(workload("sleep 1000"));
    wait_phase("Running");
  }
  /// The pod's end of a port that was let go of: it has read what was written, and the end.
  UniqueFd let_go() {
    auto stream = *connect(listen());
    UniqueFd server = accept();
    EXPECT_TRUE(run(loop_, stream->write(as_bytes("question"))));
    stream.reset();
    EXPECT_EQ(read_text(server.get()), "question");
    return server;
  }
  /// False: the connection has ended in this direction, too.
  static bool talk(const UniqueFd& server) {
    return ::send(server.get(), "talk", 4, MSG_NOSIGNAL) == 4;
  }
  /// Runs the loop until the pod can send no more.
  void wait_closed(const UniqueFd& server) {
    while (talk(server)) run_some();
  }
  /// How much comes before the end, if the pod says something between any two reads.
  std::size_t talk_and_read(const UniqueFd& server) {
    std::vector<char> buffer(64_KiB);
    std::size_t total = 0;
    while (true) {
      (void)talk(server);
      run_some();
      const ssize_t count = ::recv(server.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count < 0 && errno == EAGAIN) continue;
      EXPECT_GE(count, 0) << "reset";
      if (count <= 0) return total;
      total += static_cast<std::size_t>(count);
    }
  }

  BoundSocket listener_;
};

TEST_F(LocalPortTest, HalfCloseLeavesTheOtherDirectionOpen) {
  start_and_wait();
  const auto stream = *connect(listen());
  const UniqueFd server = accept();
  ASSERT_TRUE(run(loop_, stream->write(as_bytes("question"))));
  ASSERT_TRUE(run(loop_, stream->half_close()));
  EXPECT_EQ(read_text(server.get()), "question");
  ASSERT_EQ(::send(server.get(), "answer", 6, 0), 6);
  EXPECT_EQ(read_some(*stream), "answer");
  ::shutdown(server.get(), SHUT_WR);
  EXPECT_EQ(read_some(*stream), "");
  EXPECT_EQ(stream->end(), StreamEnd::Completed);
}

TEST_F(LocalPortTest, NothingListens) {
  start_and_wait();
  const BoundSocket silent = bind_to_loopback();
  const auto result = connect(silent.port);
  EXPECT_EQ(result.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(result.error().message, "connection refused");
}

TEST_F(LocalPortTest, RemovingThePodEndsIt) {
  start_and_wait();
  const auto stream = *connect(listen());
  const UniqueFd server = accept();
  write_workloads("");
  backend_->reload();
  EXPECT_EQ(read_some(*stream), "");
  EXPECT_EQ(stream->end(), StreamEnd::TargetDeleted);
}

TEST_F(LocalPortTest, RemovingThePodEndsAlsoWhatItHadHalfClosed) {
  start_and_wait();
  const auto stream = *connect(listen());
  const UniqueFd server = accept();
  ::shutdown(server.get(), SHUT_WR);
  EXPECT_EQ(read_some(*stream), "");
  EXPECT_EQ(stream->end(), StreamEnd::Completed);
  write_workloads("");
  backend_->reload();
  EXPECT_EQ(read_some(*stream), "");
  EXPECT_EQ(stream->end(), StreamEnd::TargetDeleted);
}

TEST_F(LocalPortTest, AResetAfterTheHalfCloseShows) {
  start_and_wait();
  const auto stream = *connect(listen());
  UniqueFd server = accept();
  ::shutdown(server.get(), SHUT_WR);
  EXPECT_EQ(read_some(*stream), "");
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(server.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  server.reset();
  EXPECT_EQ(read_some(*stream), "connection reset");
}

TEST_F(LocalPortTest, APodThatTalksAndReadsLateGetsAllThatWasWritten) {
  start_and_wait();
  auto stream = *connect(listen());
  const UniqueFd server = accept();
  const std::string written(512_KiB, 'x');  // more than the pod's end takes unread
  ASSERT_TRUE(talk(server));
  ASSERT_TRUE(run(loop_, stream->write(as_bytes(written))));
  stream.reset();
  EXPECT_EQ(talk_and_read(server), written.size());
}

TEST_F(LocalPortTest, APodThatHasAllAndGoesOnTalkingIsCutOffSoon) {
  start_and_wait();
  const UniqueFd server = let_go();
  ASSERT_TRUE(talk(server));
  sluice::testing::run_until_idle(loop_);
  ASSERT_TRUE(talk(server));
  clock_.advance(LocalPort::kEndPatience);
  wait_closed(server);
}

TEST_F(LocalPortTest, APodThatNeverEndsTheConnectionIsCutOffInTheEnd) {
  start_and_wait();
  const UniqueFd server = let_go();
  sluice::testing::run_until_idle(loop_);
  clock_.advance(LocalPort::kFarewellPatience);
  wait_closed(server);
}

TEST_F(LocalPortTest, RemovingThePodEndsWhatIsLeftOfAPort) {
  start_and_wait();
  const UniqueFd server = let_go();
  write_workloads("");
  backend_->reload();
  wait_closed(server);
}

TEST_F(LocalPortTest, StoppingEndsWhatIsLeftOfAPort) {
  start_and_wait();
  const UniqueFd server = let_go();
  run(loop_, backend_->stop());
  wait_closed(server);
  sluice::testing::run_until_idle(loop_);
  backend_.reset();  // it is stopped once only
}

TEST_F(LocalPortTest, AFinishedPodHasNoPorts) {
  start(workload("exit 0"));
  wait_phase("Completed");
  EXPECT_EQ(connect(listen()).error().message, "connection refused");
}

}  // namespace
}  // namespace sluice::backend::local
