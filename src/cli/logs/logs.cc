#include "cli/logs/logs.h"

#include <unistd.h>

#include <csignal>

#include "cli/cluster/workload_lookup.h"
#include "cli/logs/log_download.h"
#include "cli/logs/log_follower.h"
#include "cli/logs/log_request.h"
#include "cli/logs/merged_logs.h"
#include "cli/logs/output_file.h"
#include "cli/logs/start_wait.h"
#include "cli/terminal/exit_code.h"
#include "cli/terminal/output_thread.h"
#include "cli/terminal/terminal.h"

namespace sluice::cli {
namespace {

using workload::WorkloadRef;

bool is_followed(const LogsOptions& options) { return options.follow && !options.previous; }

MergedLogs::Colours colours_for(const Environment& environment, int descriptor) {
  // https://no-color.org
  const bool is_unwanted = environment.get("NO_COLOR") || environment.get("TERM") == "dumb";
  return is_terminal(descriptor) && !is_unwanted ? MergedLogs::Colours::ByPod
                                                 : MergedLogs::Colours::None;
}

net::Task<Result<int>> write_to(Context& context, const WorkloadRef& workload,
                                const LogsOptions& options, int descriptor, OutputThread& output) {
  if (options.all_pods) {
    const auto colours = colours_for(context.environment, descriptor);
    MergedLogs merged(context, workload, options, output, colours);
    co_return co_await merged.run();
  }
  if (is_followed(options)) {
    LogFollower follower(context, workload, options, output);
    CO_TRY_VOID(co_await follower.run());
  } else {
    CO_TRY_VOID(co_await read_log(context, workload, options, output));
  }
  co_return kSuccess;
}

/// As it comes, to a descriptor.
net::Task<Result<int>> write_log(Context& context, const WorkloadRef& workload,
                                 const LogsOptions& options, int descriptor) {
  OutputThread output(context.executor, descriptor);
  Result<int> result = co_await write_to(context, workload, options, descriptor, output);
  const bool is_cancelled = !result && result.error().code == ErrorCode::Cancelled;
  // What came before a failure is shown, too.
  if (!is_cancelled) {
    const Result<> flushed = co_await output.flush();
    if (result && !flushed) result = fail(flushed.error());
  }
  // As programs are ended whose output nobody reads.
  if (!output.has_reader()) co_return kSignalBase + SIGPIPE;
  co_return result;
}

net::Task<Result<int>> write_log_file(Context& context, const WorkloadRef& workload,
                                      const LogsOptions& options) {
  const bool is_whole = !is_followed(options);
  if (is_whole && !options.all_pods) {
    const std::string path = log_path(workload, "logs/download", options);
    co_return co_await download_log(context, path, options.output);
  }
  Result<OutputFile> file = is_whole ? OutputFile::replace(options.output, context.random)
                                     : OutputFile::rewrite(options.output);
  if (!file) co_return fail(file.error());
  CO_TRY(const int code, co_await write_log(context, workload, options, file->descriptor()));
  if (code == kSuccess) {
    CO_TRY_VOID(file->commit());
  }
  co_return code;
}

net::Task<Result<WorkloadRef>> find(Context& context, const WorkloadName& name,
                                    const LogsOptions& options) {
  if (!options.wait_timeout) return look_up(context, name);
  return wait_for_start(context, name, options.target, *options.wait_timeout);
}

}  // namespace

net::Task<Result<int>> run_logs(Context& context, WorkloadName name, LogsOptions options) {
  CO_TRY(const WorkloadRef workload, co_await find(context, name, options));
  const bool is_file = !options.output.empty();
  auto task = is_file ? write_log_file(context, workload, options)
                      : write_log(context, workload, options, STDOUT_FILENO);
  const Result<int> result = co_await std::move(task);
  if (result) co_return result;
  Error error = co_await explain(context, workload, result.error());
  co_return fail(std::move(error));
}

}  // namespace sluice::cli
