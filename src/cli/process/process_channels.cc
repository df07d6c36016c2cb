#include "cli/process/process_channels.h"

#include <array>

#include "base/base64.h"
#include "cli/cluster/api_path.h"
#include "cli/cluster/workload_lookup.h"
#include "cli/terminal/exit_code.h"

namespace sluice::cli {

using channel::StreamChannel;

namespace {

constexpr std::array<std::string_view, 2> kSubprotocols{"v5.channel.k8s.io", "v4.channel.k8s.io"};

std::string encode(const std::vector<std::string>& command) {
  json::array words;
  for (const std::string& word : command) words.emplace_back(word);
  return base64url_encode(as_bytes(json::serialize(json::value(words))));
}

std::string path_for(const workload::WorkloadRef& workload, const ProcessOptions& options) {
  Query query;
  query.add("pod", options.target.pod).add("container", options.target.container);
  if (options.stdin) query.add("stdin", "true");
  if (options.tty) query.add("tty", "true");
  if (options.command.empty()) return query.on(path_of(workload, "attach"));
  return query.add("command", encode(options.command)).on(path_of(workload, "exec"));
}

}  // namespace

net::Task<Result<std::unique_ptr<ProcessChannels>>> ProcessChannels::open(
    Context& context, workload::WorkloadRef workload, ProcessOptions options) {
  const std::string path = path_for(workload, options);
  Result<WebSocket> opened = co_await context.api.open_websocket(path, kSubprotocols);
  if (opened) co_return std::make_unique<ProcessChannels>(context, *std::move(opened));
  Error error = co_await explain(context, workload, opened.error());
  co_return fail(std::move(error));
}

ProcessChannels::ProcessChannels(Context& context, WebSocket opened)
    : version_(opened.subprotocol == kSubprotocols.front() ? channel::Version::V5
                                                           : channel::Version::V4),
      socket_(context.executor, context.timers, std::move(opened.connection)) {}

net::Task<Result<ProcessChannels::Received>> ProcessChannels::receive() {
  while (true) {
    CO_TRY(const ws::Received received, co_await socket_.receive());
    if (const auto* close = std::get_if<ws::Close>(&received)) co_return End{end_of(*close)};
    const auto& piece = std::get<ws::MessagePiece>(received);
    const auto fed = demultiplexer_.feed(piece.payload, piece.ends_message);
    if (!fed) continue;
    const Output output{static_cast<StreamChannel>(fed->channel), fed->payload};
    switch (output.channel) {
      case StreamChannel::Stdout:
      case StreamChannel::Stderr: co_return output;
      case StreamChannel::Error: status_ += as_text(fed->payload); break;
      default: break;
    }
  }
}

Result<int> ProcessChannels::end_of(const ws::Close& close) const {
  if (!status_.empty()) {
    TRY(const channel::CommandStatus status, channel::parse_status(status_));
    if (status.exit_code) return *status.exit_code;
    return fail(ErrorCode::Internal, status.message);
  }
  switch (close.code) {
    case ws::CloseCode::Normal: return kSuccess;  // of an attach
    case ws::CloseCode::PolicyViolation: return fail(ErrorCode::Unauthenticated, close.reason);
    case ws::CloseCode::Abnormal:
      return fail(ErrorCode::Unavailable, "the connection was lost: " + close.reason);
    default: return fail(ErrorCode::Internal, close.reason);
  }
}

net::Task<Result<>> ProcessChannels::send(StreamChannel channel, Bytes bytes) {
  std::string message(1, static_cast<char>(channel));
  message += as_text(bytes);
  const Bytes whole = as_bytes(message);
  co_return co_await socket_.send(whole);
}

net::Task<Result<>> ProcessChannels::end_stdin() {
  if (version_ != channel::Version::V5) co_return Result<>{};
  const std::array message{static_cast<std::byte>(channel::kCloseSignal),
                           static_cast<std::byte>(StreamChannel::Stdin)};
  const Bytes whole(message);
  co_return co_await socket_.send(whole);
}

}  // namespace sluice::cli
