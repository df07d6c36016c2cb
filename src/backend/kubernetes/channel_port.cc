#include "backend/kubernetes/channel_port.h"

#include <algorithm>

#include "channel/channel_pair.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr channel::ChannelPair kPair{0};
constexpr std::byte kData{kPair.data()};
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

ChannelPort::ChannelPort(net::Executor executor, LoopTasks& tasks,
                         std::unique_ptr<Upstream> upstream)
    : executor_(executor), tasks_(tasks), upstream_(std::move(upstream)) {}

ChannelPort::~ChannelPort() {
  tasks_.spawn(executor_, "end of a forwarded port", Upstream::end(std::move(upstream_)));
}

net::Task<Result<std::size_t>> ChannelPort::read(MutableBytes into) {
  while (output_.empty() && !end_) {
    CO_TRY(const ws::Received received, co_await upstream_->receive());
    if (const auto* close = std::get_if<ws::Close>(&received)) {
      CO_TRY(end_, end_of(*close));
    } else {
      take(std::get<ws::MessagePiece>(received));
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
    take_error(as_text(piece->payload));
  }
}

void ChannelPort::take_error(std::string_view text) {
  if (text.empty()) return;
  if (error_text_.empty()) upstream_->end_when_silent(kErrorPatience);
  error_text_ += text.substr(0, kMaxErrorBytes - error_text_.size());
}

/// What the end of the WebSocket means. Errors: Unavailable: not that the pod's side ended.
Result<StreamEnd> ChannelPort::end_of(const ws::Close& close) const {
  if (upstream_->is_pod_ending()) return StreamEnd::TargetDeleted;
  if (!error_text_.empty()) return fail(ErrorCode::Unavailable, port_problem(error_text_));
  if (close.code == ws::CloseCode::Normal) return StreamEnd::Completed;
  std::string message = "the cluster ended the stream";
  if (!close.reason.empty()) message += ": " + close.reason;
  return fail(ErrorCode::Unavailable, std::move(message));
}

net::Task<Result<>> ChannelPort::write(Bytes bytes) {
  co_return co_await upstream_->send_on(kData, bytes);
}

net::Task<Result<>> ChannelPort::half_close() {
  if (!std::exchange(half_closed_, true)) upstream_->close_when_silent(kHalfClosePatience);
  co_return Result<>{};
}

}  // namespace sluice::backend::kubernetes
