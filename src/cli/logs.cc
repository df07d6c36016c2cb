#include "cli/logs.h"

#include <unistd.h>

#include <csignal>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/log_follower.h"
#include "cli/workload_lookup.h"

namespace sluice::cli {
namespace {

std::string query_path(const workload::WorkloadRef& workload, const LogsOptions& options) {
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
  return query.on(path_of(workload, "logs"));
}

/// A one-shot read that ends otherwise than in order is not whole.
Result<int> result_of(const ws::Close& close) {
  switch (close.code) {
    case ws::CloseCode::Normal: return kSuccess;
    case ws::CloseCode::PolicyViolation: return fail(ErrorCode::Unauthenticated, close.reason);
    case ws::CloseCode::Abnormal:
      return fail(ErrorCode::Unavailable,
                  "the connection was lost before the log's end: " + close.reason);
    default: return fail(ErrorCode::Internal, "the log is not whole: " + close.reason);
  }
}

net::Task<Result<ws::Close>> copy(ServerSocket& socket, OutputThread& output) {
  while (true) {
    CO_TRY(const ws::Received received, co_await socket.receive());
    if (const auto* close = std::get_if<ws::Close>(&received)) co_return *close;
    output.append(std::get<ws::MessagePiece>(received).payload);
    CO_TRY_VOID(co_await output.wait());
  }
}

net::Task<Result<int>> read_once(Context& context, const workload::WorkloadRef& workload,
                                 const LogsOptions& options, OutputThread& output) {
  const std::string path = query_path(workload, options);
  CO_TRY(WebSocket opened, co_await context.api.open_websocket(path, kRaw));
  ServerSocket socket(context.executor, context.timers, std::move(opened.connection));
  const Result<ws::Close> close = co_await copy(socket, output);
  co_await socket.end();
  if (!close) co_return fail(close.error());
  CO_TRY_VOID(co_await output.flush());
  co_return result_of(*close);
}

}  // namespace

net::Task<Result<int>> run_logs(Context& context, WorkloadName name, LogsOptions options) {
  CO_TRY(const workload::WorkloadRef workload, co_await look_up(context, name));
  OutputThread output(context.executor, STDOUT_FILENO);
  Result<int> result = fail(Error{});
  if (options.follow && !options.previous) {
    LogFollower follower(context, workload, options, output);
    result = co_await follower.run();
  } else {
    result = co_await read_once(context, workload, options, output);
  }
  // As programs are ended whose output nobody reads.
  if (!output.has_reader()) co_return kSignalBase + SIGPIPE;
  if (result) co_return result;
  // What came before the failure is shown, too.
  if (result.error().code != ErrorCode::Cancelled) (void)co_await output.flush();
  Error error = co_await explain(context, workload, result.error());
  co_return fail(std::move(error));
}

}  // namespace sluice::cli
