#include "cli/cluster/server_socket.h"

#include <algorithm>

namespace sluice::cli {

ServerSocket::ServerSocket(net::Executor executor, net::Timers& timers,
                           std::unique_ptr<ws::Connection> connection)
    : timers_(timers), connection_(std::move(connection)), turns_(executor), tasks_(executor) {
  tasks_.spawn("keep-alive", keep_alive());
}

net::Task<Result<ws::Received>> ServerSocket::receive() {
  waiting_since_ = timers_.now();
  Result<ws::Received> received = co_await connection_->receive();
  waiting_since_.reset();
  const bool is_close = received && std::holds_alternative<ws::Close>(*received);
  if (received && !is_close) co_return received;
  closed_ = true;
  if (received) co_return received;
  // A wait on a connection that we ended looks like a cancelled one.
  if (given_up_) co_return ws::Close{ws::CloseCode::Abnormal, "the server went silent"};
  if (received.error().code == ErrorCode::Cancelled) {
    closed_ = false;
    co_return received;
  }
  co_return ws::Close{ws::CloseCode::Abnormal, received.error().message};
}

net::Task<Result<>> ServerSocket::send(Bytes message) {
  CO_TRY_VOID(co_await turns_.take());
  const Result<> sent = co_await connection_->send(ws::Opcode::Binary, message);
  turns_.pass();
  co_return sent;
}

/// While nobody receives, because what we write to takes no more, silence says nothing; our pings
/// tell the server that we are there.
bool ServerSocket::is_silent() const {
  if (!waiting_since_) return false;
  return timers_.now() >= std::max(*waiting_since_, connection_->last_received()) + kSilence;
}

net::Task<> ServerSocket::keep_alive() {
  while (true) {
    const Result<> slept = co_await timers_.sleep_for(kPingInterval);
    if (!slept) co_return;
    if (is_silent()) {
      given_up_ = true;
      connection_->abort();
      co_return;
    }
    connection_->ping();
  }
}

net::Task<> ServerSocket::end() {
  tasks_.cancel();
  co_await tasks_.join();
  if (closed_) {
    connection_->abort();
  } else {
    const ws::Close close{ws::CloseCode::Normal, {}};
    co_await connection_->close(close, kClosePatience);
  }
}

}  // namespace sluice::cli
