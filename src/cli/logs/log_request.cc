#include "cli/logs/log_request.h"

#include "base/text.h"
#include "cli/cluster/api_path.h"
#include "cli/cluster/server_socket.h"

namespace sluice::cli {
namespace {

/// A one-shot read that ends otherwise than in order is not whole.
Result<> result_of(const ws::Close& close) {
  switch (close.code) {
    case ws::CloseCode::Normal: return {};
    case ws::CloseCode::PolicyViolation: return fail(ErrorCode::Unauthenticated, close.reason);
    case ws::CloseCode::Abnormal:
      return fail(ErrorCode::Unavailable,
                  "the connection was lost before the log's end: " + close.reason);
    default: return fail(ErrorCode::Internal, "the log is not whole: " + close.reason);
  }
}

/// A message is a line: to hand each on alone would cost more than to receive it.
constexpr std::size_t kBatchBytes = 32_KiB;

net::Task<Result<ws::Close>> copy(ServerSocket& socket, Output& output) {
  std::string batch;
  while (true) {
    const Result<ws::Received> received = co_await socket.receive();
    const auto* piece = received ? std::get_if<ws::MessagePiece>(&*received) : nullptr;
    if (piece != nullptr) batch += as_text(piece->payload);
    if (piece != nullptr && batch.size() < kBatchBytes) continue;
    output.append(as_bytes(batch));
    batch.clear();
    if (!received) co_return fail(received.error());
    if (piece == nullptr) co_return std::get<ws::Close>(*received);
    CO_TRY_VOID(co_await output.wait());
  }
}

}  // namespace

std::string log_path(const workload::WorkloadRef& workload, std::string_view endpoint,
                     const LogsOptions& options) {
  const auto number = [](const std::optional<std::uint64_t>& value) {
    return value ? std::to_string(*value) : std::string();
  };
  Query query;
  query.add("pod", options.target.pod).add("container", options.target.container);
  query.add("previous", options.previous ? "true" : "");
  query.add("timestamps", options.timestamps ? "true" : "");
  query.add("tailLines", number(options.tail_lines));
  query.add("limitBytes", number(options.limit_bytes));
  query.add("sinceSeconds", options.since ? format_duration(*options.since) : "");
  query.add("sinceTime", options.since_time ? format_rfc3339_nano(*options.since_time) : "");
  return query.on(path_of(workload, endpoint));
}

net::Task<Result<>> read_log(Context& context, const workload::WorkloadRef& workload,
                             const LogsOptions& options, Output& output) {
  const std::string path = log_path(workload, "logs", options);
  CO_TRY(WebSocket opened, co_await context.api.open_websocket(path, kRaw));
  ServerSocket socket(context.executor, context.timers, std::move(opened.connection));
  const Result<ws::Close> close = co_await copy(socket, output);
  co_await socket.end();
  if (!close) co_return fail(close.error());
  co_return result_of(*close);
}

}  // namespace sluice::cli
