#include "backend/local/local_port.h"

#include <sys/socket.h>

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

TEST_F(LocalPortTest, AFinishedPodHasNoPorts) {
  start(workload("exit 0"));
  wait_phase("Completed");
  EXPECT_EQ(connect(listen()).error().message, "connection refused");
}

}  // namespace
}  // namespace sluice::backend::local
