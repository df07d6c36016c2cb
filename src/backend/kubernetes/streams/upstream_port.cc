#include "backend/kubernetes/streams/upstream_port.h"

#include "base/take_bytes.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr std::size_t kMaxTroubleBytes = 4_KiB;

bool is_end(const std::optional<PortEvent>& event) {
  return event &&
         (std::holds_alternative<PortClosed>(*event) || std::holds_alternative<PortReset>(*event));
}

}  // namespace

std::string port_problem(std::string_view text) {
  for (const std::string_view known :
       {"connection refused", "connection reset", "no route to host", "timed out"}) {
    if (text.find(known) != std::string_view::npos) return std::string(known);
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text);
}

UpstreamPort::UpstreamPort(net::Executor executor, LoopTasks& tasks,
                           std::unique_ptr<Upstream> upstream, std::unique_ptr<PortFraming> framing)
    : executor_(executor),
      tasks_(tasks),
      upstream_(std::move(upstream)),
      framing_(std::move(framing)) {}

UpstreamPort::~UpstreamPort() {
  auto ending = is_over_ ? Upstream::end(std::move(upstream_))
                         : finish(std::move(upstream_), std::move(framing_));
  tasks_.spawn(executor_, "end of a forwarded port", std::move(ending));
}

/// Where the protocol can say that we send no more, the WebSocket waits for the answer: what the
/// pod has not taken yet would be lost with it (spdystream resets the streams of a connection).
net::Task<> UpstreamPort::finish(std::unique_ptr<Upstream> upstream,
                                 std::unique_ptr<PortFraming> framing) {
  const std::string farewell = framing->farewell();
  if (!farewell.empty()) {
    upstream->end_after(Upstream::kClosePatience);
    const Bytes message = as_bytes(farewell);
    const Result<> sent = co_await upstream->send(message);
    if (sent) co_await skip_to_end(*upstream, *framing);
  }
  co_await Upstream::end(std::move(upstream));
}

net::Task<> UpstreamPort::skip_to_end(Upstream& upstream, PortFraming& framing) {
  while (true) {
    const Result<std::optional<PortEvent>> event = framing.next();
    if (!event || is_end(*event)) co_return;
    if (*event) continue;
    const Result<ws::Received> received = co_await upstream.receive();
    if (!received || std::holds_alternative<ws::Close>(*received)) co_return;
    framing.feed(std::get<ws::MessagePiece>(*received));
  }
}

net::Task<Result<>> UpstreamPort::open() {
  const std::string opening = framing_->opening();
  if (opening.empty()) co_return Result<>{};
  const Bytes message = as_bytes(opening);
  co_return co_await upstream_->open(message);
}

net::Task<Result<std::size_t>> UpstreamPort::read(MutableBytes into) {
  std::size_t count = read_now(into);
  while (count == 0 && !end_ && !failure_) {
    const Result<ws::Received> received = co_await upstream_->receive();
    CO_TRY_VOID(take(received));
    count = read_now(into);
  }
  if (count == 0 && failure_) co_return fail(*failure_);
  co_return count;
}

std::size_t UpstreamPort::read_now(MutableBytes into) {
  std::size_t count = take_bytes(output_, into);
  while (count < into.size() && advance()) count += take_bytes(output_, into.subspan(count));
  return count;
}

/// The next step with what has come. False: there is none.
bool UpstreamPort::advance() {
  if (end_ || failure_) return false;
  Result<std::optional<PortEvent>> event = framing_->next();
  Result<> taken;
  if (!event) {
    taken = fail(event.error());
  } else if (*event) {
    taken = take(**event);
  } else if (const auto received = upstream_->try_receive()) {
    taken = take(*received);
  } else {
    return false;
  }
  if (!taken) failure_ = taken.error();
  return true;
}

/// Errors: as receive(), and Unavailable: it ended badly.
Result<> UpstreamPort::take(const Result<ws::Received>& received) {
  if (!received) return fail(received.error());
  if (const auto* close = std::get_if<ws::Close>(&*received)) {
    is_over_ = true;
    TRY(end_, end_by(*close));
  } else {
    framing_->feed(std::get<ws::MessagePiece>(*received));
  }
  return {};
}

/// Errors: Unavailable: not that the pod's side ended.
Result<> UpstreamPort::take(PortEvent& event) {
  if (const auto* data = std::get_if<PortData>(&event)) {
    output_ = data->bytes;
  } else if (const auto* trouble = std::get_if<PortTrouble>(&event)) {
    take_trouble(trouble->text);
  } else if (auto* answer = std::get_if<PortAnswer>(&event)) {
    upstream_->send_latest(std::move(answer->message));
  } else if (std::holds_alternative<PortClosed>(event)) {
    is_over_ = true;
    TRY(end_, end_by(StreamEnd::Completed));
  } else {
    is_over_ = true;
    TRY(end_, end_by(fail(ErrorCode::Unavailable, "connection reset")));
  }
  return {};
}

void UpstreamPort::take_trouble(std::string_view text) {
  if (trouble_.empty()) upstream_->end_when_silent(kErrorPatience);
  trouble_ += text.substr(0, kMaxTroubleBytes - trouble_.size());
}

/// What an end means that without a known reason would be `otherwise`.
Result<StreamEnd> UpstreamPort::end_by(Result<StreamEnd> otherwise) const {
  if (upstream_->is_pod_ending()) return StreamEnd::TargetDeleted;
  if (!trouble_.empty()) return fail(ErrorCode::Unavailable, port_problem(trouble_));
  return otherwise;
}

Result<StreamEnd> UpstreamPort::end_by(const ws::Close& close) const {
  const bool is_end = half_closed_ || framing_->ends_with_close();
  if (close.code == ws::CloseCode::Normal && is_end) return end_by(StreamEnd::Completed);
  std::string message = "the cluster ended the stream";
  if (!close.reason.empty()) message += ": " + close.reason;
  return end_by(fail(ErrorCode::Unavailable, std::move(message)));
}

net::Task<Result<>> UpstreamPort::write(Bytes bytes) {
  return upstream_->send_behind([this](std::size_t size) { return framing_->header(size); }, bytes);
}

net::Task<Result<>> UpstreamPort::half_close() {
  if (!std::exchange(half_closed_, true)) {
    upstream_->finish_when_silent(kHalfClosePatience, framing_->farewell());
  }
  co_return Result<>{};
}

}  // namespace sluice::backend::kubernetes
