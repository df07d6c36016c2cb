#include "backend/local/process_control.h"

#include <sys/socket.h>

#include <cerrno>
#include <csignal>

namespace sluice::backend::local {

std::optional<ShimMessage> ProcessControl::end() const {
  ShimMessage message;
  ssize_t count = -1;
  do {
    count = ::recv(socket_.fd(), &message, sizeof message, MSG_PEEK | MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count == sizeof message) return message;
  if (count < 0 && errno == EAGAIN) return std::nullopt;
  return ShimMessage{ShimEvent::Killed, SpawnStage::Fork, SIGKILL};
}

net::Task<Result<ShimMessage>> ProcessControl::wait_started() {
  CO_TRY(const ShimMessage message, co_await wait());
  ShimMessage taken;
  (void)::recv(socket_.fd(), &taken, sizeof taken, MSG_DONTWAIT);
  if (message.event == ShimEvent::Started) pid_ = message.value;
  co_return message;
}

net::Task<Result<ShimMessage>> ProcessControl::wait() {
  while (true) {
    if (const std::optional<ShimMessage> message = end()) co_return *message;
    CO_TRY_VOID(co_await socket_.readable());
  }
}

net::Task<Result<>> ProcessControl::wait_gone() {
  while (true) {
    ShimMessage message;
    const ssize_t count = ::recv(socket_.fd(), &message, sizeof message, MSG_DONTWAIT);
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    if (count == 0 || errno != EAGAIN) co_return Result<>{};
    CO_TRY_VOID(co_await socket_.readable());
  }
}

void ProcessControl::signal_tree(int signal) { send({OwnerCommand::SignalTree, signal}); }

void ProcessControl::kill_tree() { send({OwnerCommand::KillTree, 0}); }

void ProcessControl::send(OwnerMessage message) {
  // Fails only when the shim has gone, and then there is nobody left to signal.
  (void)::send(socket_.fd(), &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace sluice::backend::local
