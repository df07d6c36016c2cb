#include "cli/logs.h"

#include <unistd.h>

#include <csignal>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/log_download.h"
#include "cli/log_follower.h"
#include "cli/output_file.h"
#include "cli/start_wait.h"
#include "cli/workload_lookup.h"

namespace sluice::cli {
namespace {

std::string query_path(const workload::WorkloadRef& workload, std::string_view endpoint,
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
  const std::string path = query_path(workload, "logs", options);
  CO_TRY(WebSocket opened, co_await context.api.open_websocket(path, kRaw));
  ServerSocket socket(context.executor, context.timers, std::move(opened.connection));
  const Result<ws::Close> close = co_await copy(socket, output);
  co_await socket.end();
  if (!close) co_return fail(close.error());
  CO_TRY_VOID(co_await output.flush());
  co_return result_of(*close);
}

/// As it comes, to a descriptor.
net::Task<Result<int>> write_log(Context& context, const workload::WorkloadRef& workload,
                                 const LogsOptions& options, int descriptor) {
  OutputThread output(context.executor, descriptor);
  Result<int> result = fail(Error{});
  if (options.follow && !options.previous) {
    LogFollower follower(context, workload, options, output);
    result = co_await follower.run();
  } else {
    result = co_await read_once(context, workload, options, output);
  }
  // As programs are ended whose output nobody reads.
  if (!output.has_reader()) co_return kSignalBase + SIGPIPE;
  // What came before the failure is shown, too.
  const bool has_failed = !result && result.error().code != ErrorCode::Cancelled;
  if (has_failed) (void)co_await output.flush();
  co_return result;
}

net::Task<Result<int>> write_log_file(Context& context, const workload::WorkloadRef& workload,
                                      const LogsOptions& options) {
  if (!options.follow) {
    const std::string path = query_path(workload, "logs/download", options);
    co_return co_await download_log(context, path, options.output);
  }
  CO_TRY(const OutputFile file, OutputFile::rewrite(options.output));
  co_return co_await write_log(context, workload, options, file.descriptor());
}

net::Task<Result<workload::WorkloadRef>> find(Context& context, const WorkloadName& name,
                                              const LogsOptions& options) {
  if (!options.wait_timeout) return look_up(context, name);
  return wait_for_start(context, name, options.target, *options.wait_timeout);
}

}  // namespace

net::Task<Result<int>> run_logs(Context& context, WorkloadName name, LogsOptions options) {
  CO_TRY(const workload::WorkloadRef workload, co_await find(context, name, options));
  const bool is_file = !options.output.empty();
  auto task = is_file ? write_log_file(context, workload, options)
                      : write_log(context, workload, options, STDOUT_FILENO);
  const Result<int> result = co_await std::move(task);
  if (result) co_return result;
  Error error = co_await explain(context, workload, result.error());
  co_return fail(std::move(error));
}

}  // namespace sluice::cli
