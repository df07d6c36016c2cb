#include "backend/kubernetes/channel_port.h"

#include <algorithm>
#include <array>
#include <vector>

#include "channel/channel_pair.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr channel::ChannelPair kPair{0};
/// With the channel's byte, what Upstream::send() takes at most.
constexpr std::size_t kMaxPayloadBytes = 32_KiB - 1;
constexpr std::size_t kMaxErrorBytes = 4_KiB;

}  // namespace

std::string port_problem(std::string_view text) {
  for (const std::string_view known :
       {"connection refused", "connection reset", "no route to host", "timed out"}) {
    if (text.find(known) != std::string_view::npos) return std::string(known);
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text);
}

ChannelPort::ChannelPort(net::Executor executor, LoopTasks& tasks, net::Timers& timers,
                         std::unique_ptr<Upstream> upstream)
    : executor_(executor), tasks_(tasks), timers_(timers), upstream_(std::move(upstream)) {}

ChannelPort::~ChannelPort() {
  tasks_.spawn(executor_, "end of a forwarded port", Upstream::end(std::move(upstream_)));
}

net::Task<Result<std::size_t>> ChannelPort::read(MutableBytes into) {
  while (output_.empty() && !end_) {
    const Result<ws::Received> received = co_await upstream_->socket().receive();
    if (!received && received.error().code == ErrorCode::Cancelled) {
      co_return fail(received.error());
    }
    if (received && std::holds_alternative<ws::MessagePiece>(*received)) {
      take(std::get<ws::MessagePiece>(*received));
    } else {
      CO_TRY_VOID(take_end());
    }
  }
  const std::size_t size = std::min(into.size(), output_.size());
  std::ranges::copy(output_.first(size), into.begin());
  output_ = output_.subspan(size);
  co_return size;
}

void ChannelPort::take(const ws::MessagePiece& message) {
  const auto piece = demultiplexer_.feed(message.payload, message.ends_message);
  if (!piece) return;
  const bool is_data = piece->channel == kPair.data();
  if (!is_data && piece->channel != kPair.error()) return;
  Announcement& announcement = is_data ? data_ : error_;
  if (announcement == Announcement::Expected) {
    if (piece->ends_message) announcement = Announcement::Seen;
  } else if (is_data) {
    output_ = piece->payload;
  } else {
    error_text_ += as_text(piece->payload).substr(0, kMaxErrorBytes - error_text_.size());
  }
}

/// The WebSocket has ended. Errors: Unavailable: not because the pod's side ended.
Result<> ChannelPort::take_end() {
  if (upstream_->is_pod_gone()) {
    end_ = StreamEnd::TargetDeleted;
    return {};
  }
  if (!error_text_.empty()) return fail(ErrorCode::Unavailable, port_problem(error_text_));
  end_ = upstream_->is_pod_ending() ? StreamEnd::TargetDeleted : StreamEnd::Completed;
  return {};
}

net::Task<Result<>> ChannelPort::write(Bytes bytes) {
  std::vector<std::byte> message;
  while (!bytes.empty()) {
    const Bytes part = bytes.first(std::min(bytes.size(), kMaxPayloadBytes));
    bytes = bytes.subspan(part.size());
    message.assign(1, std::byte{kPair.data()});
    message.insert(message.end(), part.begin(), part.end());
    const Bytes whole(message);
    CO_TRY_VOID(co_await upstream_->send(whole));
  }
  co_return Result<>{};
}

net::Task<Result<>> ChannelPort::half_close() {
  if (!std::exchange(half_closed_, true)) {
    upstream_->tasks.spawn("end of a half-closed port", end_after_patience());
  }
  co_return Result<>{};
}

net::Task<> ChannelPort::end_after_patience() {
  const Result<> slept = co_await timers_.sleep_for(kHalfClosePatience);
  if (slept) upstream_->socket().abort();
}

}  // namespace sluice::backend::kubernetes
