#include "backend/kubernetes/streams/upstream.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <vector>

namespace sluice::backend::kubernetes {
namespace {

/// So many messages leave in one write. A write for each would end in a TLS record of a few bytes,
/// and every hop behind us reads and writes that one by itself.
constexpr std::size_t kMaxBatchMessages = 2;

}  // namespace

Upstream::Upstream(net::Executor executor, net::Timers& timers,
                   std::unique_ptr<ws::Connection> socket, std::unique_ptr<PodWatch> pod,
                   Options options)
    : timers_(timers),
      socket_(std::move(socket)),
      pod_(std::move(pod)),
      options_(std::move(options)),
      turns_(executor),
      tasks_(executor) {
  tasks_.spawn("upstream keep-alive", keep_alive());
  tasks_.spawn("upstream pod", watch_pod());
}

net::Task<Result<ws::Received>> Upstream::receive() {
  waiting_since_ = timers_.now();
  Result<ws::Received> received = co_await socket_->receive();
  waiting_since_.reset();
  co_return explained(std::move(received));
}

std::optional<Result<ws::Received>> Upstream::try_receive() {
  std::optional<Result<ws::Received>> received = socket_->try_receive();
  if (received) received = explained(*std::move(received));
  return received;
}

/// A connection that is lost is closed; a wait on one that we ended looks like a cancelled one.
Result<ws::Received> Upstream::explained(Result<ws::Received> received) const {
  if (received) return received;
  if (received.error().code != ErrorCode::Cancelled) {
    return ws::Close{ws::CloseCode::Abnormal, received.error().message};
  }
  if (given_up_) return *given_up_;
  return received;
}

net::Task<Result<>> Upstream::open(Bytes message) {
  co_return co_await write(ws::Opcode::Binary, message);
}

net::Task<Result<>> Upstream::send(Bytes message) {
  assert(message.size() <= kMaxMessageBytes);
  has_sent_ = true;
  co_return co_await write(ws::Opcode::Binary, message);
}

net::Task<Result<>> Upstream::send_behind(HeaderOf header_of, Bytes payload) {
  has_sent_ = true;
  std::vector<std::byte> message;
  while (!payload.empty()) {
    CO_TRY_VOID(co_await turns_.take());
    for (std::size_t i = 0; i < kMaxBatchMessages && !payload.empty(); ++i) {
      const Bytes part = payload.first(std::min(payload.size(), kMaxPayloadBytes));
      payload = payload.subspan(part.size());
      const Bytes header = header_of(part.size());
      message.assign(header.begin(), header.end());
      message.insert(message.end(), part.begin(), part.end());
      socket_->append(ws::Opcode::Binary, message);
    }
    Result<> sent = co_await socket_->flush();
    turns_.pass();
    if (!sent) co_return explained(std::move(sent));
  }
  co_return Result<>{};
}

net::Task<Result<>> Upstream::write(ws::Opcode opcode, Bytes payload) {
  CO_TRY_VOID(co_await turns_.take());
  Result<> sent = co_await socket_->send(opcode, payload);
  turns_.pass();
  co_return explained(std::move(sent));
}

/// A write that failed because we ended the stream fails for our reason.
Result<> Upstream::explained(Result<> sent) const {
  if (!sent && given_up_) return fail(ErrorCode::Unavailable, given_up_->reason);
  return sent;
}

void Upstream::send_latest(std::string message) {
  has_sent_ = true;
  latest_ = std::move(message);
  if (!std::exchange(writing_latest_, true)) tasks_.spawn("upstream message", write_latest());
}

net::Task<> Upstream::write_latest() {
  while (latest_) {
    const Result<> turn = co_await turns_.take();
    if (!turn) co_return;
    socket_->append(ws::Opcode::Binary, as_bytes(*latest_));
    latest_.reset();
    const Result<> sent = co_await socket_->flush();
    turns_.pass();
    if (!sent) co_return;  // whoever reads learns that the connection is lost
  }
  writing_latest_ = false;
}

void Upstream::append(Bytes message) { socket_->append(ws::Opcode::Binary, message); }

bool Upstream::is_pod_ending() const {
  const std::shared_ptr<const PodRecord> pod = pod_->current();
  return pod == nullptr || pod->deleting;
}

/// The server reads no pings while it is stuck with what we sent and the pod does not take. Where
/// something was sent, only TCP can tell a dead server from a stuck one.
bool Upstream::is_answering() const {
  if (has_sent_ || !waiting_since_) return true;
  const MonotonicTime last = std::max(*waiting_since_, socket_->last_received());
  return timers_.now() < last + kMissingPongs * options_.ping_interval;
}

/// A stream that something comes on needs no pings, and they are not without danger: to a server
/// that has said all and closed, they are a reason to reset the connection (RFC 9293 3.10.7.4), and
/// with that goes what slow readers have yet to read.
net::Task<> Upstream::keep_alive() {
  MonotonicTime next_message = timers_.now() + kMessageInterval;
  while (true) {
    const Result<> slept = co_await timers_.sleep_for(options_.ping_interval);
    if (!slept) co_return;
    if (!is_answering()) {
      give_up({ws::CloseCode::Abnormal, "the connection is dead"});
      co_return;
    }
    if (timers_.now() >= socket_->last_received() + options_.ping_interval) socket_->ping();
    // The API server answers our pings itself, and notices a node's lost connection only when it
    // writes to it. While we wait for more there is nothing to lose.
    const bool asks_node = !options_.keep_alive.empty() && waiting_since_;
    if (!asks_node && timers_.now() < next_message) continue;
    const Bytes message = as_bytes(options_.keep_alive);
    const Result<> sent = co_await write(ws::Opcode::Binary, message);
    if (!sent) co_return;  // whoever reads learns that the connection is lost
    next_message = timers_.now() + kMessageInterval;
  }
}

net::Task<> Upstream::watch_pod() {
  while (pod_->current() != nullptr) {
    const Result<> woken = co_await pod_->changed();
    if (!woken) co_return;
  }
  // A stream that ends by itself now brings its last output with it.
  end_when_silent(kGonePatience);
}

void Upstream::end_when_silent(nanoseconds patience) {
  tasks_.spawn("upstream silence", give_up_after(patience));
}

void Upstream::finish_when_silent(nanoseconds patience, std::string message) {
  tasks_.spawn("upstream half-close", finish_after(patience, std::move(message)));
}

void Upstream::end_after(nanoseconds patience) {
  tasks_.spawn("upstream end", give_up_later(patience));
}

net::Task<> Upstream::give_up_after(nanoseconds silence) {
  const Result<> silent = co_await be_silent(silence);
  if (silent) give_up({ws::CloseCode::Normal, "the stream has ended"});
}

net::Task<> Upstream::give_up_later(nanoseconds delay) {
  const Result<> slept = co_await timers_.sleep_for(delay);
  if (slept) give_up({ws::CloseCode::Normal, "the stream has ended"});
}

net::Task<> Upstream::finish_after(nanoseconds silence, std::string message) {
  const Result<> silent = co_await be_silent(silence);
  if (!silent) co_return;
  end_when_silent(kClosePatience);
  const auto code = static_cast<std::uint16_t>(ws::CloseCode::Normal);
  const std::array close{static_cast<std::byte>(code >> 8), static_cast<std::byte>(code & 0xFF)};
  const ws::Opcode opcode = message.empty() ? ws::Opcode::Close : ws::Opcode::Binary;
  const Bytes payload = message.empty() ? Bytes(close) : as_bytes(message);
  (void)co_await write(opcode, payload);  // a connection that is lost needs no goodbye
}

/// Completes once receive() has waited so long, from now on. While nobody receives, what the server
/// sent may still be under way.
net::Task<Result<>> Upstream::be_silent(nanoseconds patience) {
  const MonotonicTime begin = timers_.now();
  while (true) {
    const MonotonicTime since = std::max(begin, waiting_since_.value_or(timers_.now()));
    if (timers_.now() >= since + patience) co_return Result<>{};
    CO_TRY_VOID(co_await timers_.sleep_until(since + patience));
  }
}

void Upstream::give_up(ws::Close close) {
  if (given_up_) return;
  given_up_ = std::move(close);
  socket_->abort();
}

net::Task<> Upstream::end(std::unique_ptr<Upstream> upstream) {
  upstream->tasks_.cancel();
  co_await upstream->tasks_.join();
  const ws::Close close{ws::CloseCode::Normal, {}};
  co_await upstream->socket_->close(close, kClosePatience);
}

}  // namespace sluice::backend::kubernetes
