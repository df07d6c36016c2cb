#include "backend/kubernetes/upstream.h"

#include <cassert>

namespace sluice::backend::kubernetes {
namespace {

/// How long the API server may take to answer our Close.
constexpr nanoseconds kClosePatience = seconds(2);
/// golang.org/x/net/websocket reads a message from one frame of at most 32 MiB; the buffers on the
/// way have 32 KiB.
constexpr std::size_t kMaxMessageBytes = 32_KiB;

}  // namespace

Upstream::Upstream(net::Executor executor, net::Timers& timers,
                   std::unique_ptr<ws::Connection> socket, std::unique_ptr<PodWatch> pod)
    : tasks(executor),
      timers_(timers),
      socket_(std::move(socket)),
      pod_(std::move(pod)),
      turns_(executor) {
  tasks.spawn("upstream keep-alive", keep_alive());
  tasks.spawn("upstream pod", watch_pod());
}

net::Task<Result<>> Upstream::send(Bytes message) {
  assert(message.size() <= kMaxMessageBytes);
  CO_TRY_VOID(co_await turns_.take());
  Result<> sent = co_await socket_->send(ws::Opcode::Binary, message);
  turns_.pass();
  co_return sent;
}

bool Upstream::is_pod_ending() const {
  const std::shared_ptr<const PodRecord> pod = pod_->current();
  return pod == nullptr || pod->deleting;
}

net::Task<> Upstream::keep_alive() {
  MonotonicTime next_message = timers_.now() + kMessageInterval;
  while (true) {
    const Result<> slept = co_await timers_.sleep_for(kPingInterval);
    if (!slept) co_return;
    socket_->ping();
    if (timers_.now() < next_message) continue;
    const Bytes nothing;
    const Result<> sent = co_await send(nothing);
    if (!sent) co_return;  // whoever reads learns that the connection is lost
    next_message = timers_.now() + kMessageInterval;
  }
}

net::Task<> Upstream::watch_pod() {
  while (!is_pod_gone()) {
    const Result<> woken = co_await pod_->changed();
    if (!woken) co_return;
  }
  // A stream that ends by itself now brings its last output with it.
  const Result<> slept = co_await timers_.sleep_for(kGrace);
  if (slept) socket_->abort();
}

net::Task<> Upstream::end(std::unique_ptr<Upstream> upstream) {
  upstream->tasks.cancel();
  co_await upstream->tasks.join();
  const ws::Close close{ws::CloseCode::Normal, {}};
  co_await upstream->socket_->close(close, kClosePatience);
}

}  // namespace sluice::backend::kubernetes
