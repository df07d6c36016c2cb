#include "cli/logs/merged_logs.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "cli/cluster/api_path.h"
#include "cli/cluster/workload_lookup.h"
#include "cli/logs/log_follower.h"
#include "cli/logs/log_request.h"
#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"

namespace sluice::cli {
namespace {

/// Foregrounds that are readable on dark and light (ECMA-48 8.3.117); red is for errors.
constexpr std::array kColours{36, 33, 32, 35, 34, 96, 93, 92, 95, 94};

std::string key_of(const LogSource& source) {
  return fmt::format("{}/{}/{}", source.pod, source.pod_created, source.container);
}

}  // namespace

MergedLogs::MergedLogs(Context& context, workload::WorkloadRef workload, const LogsOptions& options,
                       Output& output, Colours colours)
    : context_(context),
      workload_(std::move(workload)),
      options_(options),
      colours_(colours),
      shared_(context.executor, output),
      changed_(context.executor),
      tasks_(context.executor) {}

net::Task<Result<int>> MergedLogs::run() {
  const bool is_followed = options_.follow && !options_.previous;
  auto task = is_followed ? follow_all() : read_all();
  const Result<> result = co_await std::move(task);
  tasks_.cancel();
  co_await tasks_.join();
  if (!result) co_return fail(result.error());
  co_return has_failed_ ? kRemoteFailure : kSuccess;
}

net::Task<Result<json::object>> MergedLogs::list_pods() {
  Result<json::object> pods = co_await context_.api.get_object(path_of(workload_, "pods"));
  if (pods || !is_unknown_path(pods.error())) co_return pods;
  co_return fail(ErrorCode::Internal,
                 "this server can't list a workload's pods: without --all-pods it shows one's log");
}

// --- once ---

net::Task<Result<>> MergedLogs::read_all() {
  CO_TRY(const json::object pods, co_await list_pods());
  const std::vector<LogSource> sources = log_sources(pods, options_.target.container);
  if (sources.empty()) {
    co_return fail(ErrorCode::NotFound,
                   fmt::format("workload \"{}\" has no such containers", workload_.name));
  }
  for (const LogSource& source : sources) {
    if (options_.previous && source.restarts == 0) continue;
    if (!source.has_started) {
      note(fmt::format("{}: has not started: {}", source.label, source.reason));
      continue;
    }
    PrefixedOutput output(shared_, prefix_for(source));
    const LogsOptions options = options_for(source, nullptr);
    const Result<> read = co_await read_log(context_, workload_, options, output);
    CO_TRY_VOID(co_await output.finish());
    if (read) continue;
    Stream stream;
    end_stream(source, stream, read.error());
    if (fatal_) co_return fail(*fatal_);
  }
  co_return Result<>{};
}

// --- following ---

net::Task<Result<>> MergedLogs::follow_all() {
  while (true) {
    CO_TRY(const bool has_ended, co_await look_for_pods());
    if (has_ended) co_return Result<>{};
    const MonotonicTime next = context_.timers.now() + kInterval;
    CO_TRY_VOID(co_await context_.timers.wait_until(changed_, next));
    if (fatal_) co_return fail(*fatal_);
    CO_TRY_VOID(shared_.state);
  }
}

/// Whether all has ended.
net::Task<Result<bool>> MergedLogs::look_for_pods() {
  const Result<json::object> pods = co_await list_pods();
  // Of a workload that was deleted the last lines are still to come.
  const bool are_gone = !pods && pods.error().code == ErrorCode::WorkloadNotFound;
  if (are_gone && tasks_.size() > 0) co_return false;
  if (!pods) {
    if (!has_begun_ || !is_passing(pods.error())) co_return fail(pods.error());
    if (!is_lost_) note(fmt::format("{}; trying again", pods.error().message));
    is_lost_ = true;
    co_return false;
  }
  is_lost_ = false;
  const std::vector<LogSource> sources = log_sources(*pods, options_.target.container);
  const bool has_pods = !json::list_of(*pods, "pods").empty();
  if (has_pods && sources.empty()) {
    co_return fail(ErrorCode::NotFound, fmt::format("no container \"{}\" in the workload's pods",
                                                    options_.target.container));
  }
  if (!has_pods && !is_waiting_) note("no pods; waiting for one");
  is_waiting_ = !has_pods;
  start_streams(sources);
  has_begun_ = true;
  if (tasks_.size() > 0 || !(have_ended(*pods) || !has_pods)) co_return false;
  co_return co_await has_workload_ended();
}

void MergedLogs::start_streams(const std::vector<LogSource>& sources) {
  for (auto& [key, stream] : streams_) stream.is_listed = false;
  for (const LogSource& source : sources) {
    if (!source.has_started) continue;
    const auto [position, is_new] = streams_.try_emplace(key_of(source));
    Stream& stream = position->second;
    stream.is_listed = true;
    const bool is_another = is_new || source.restarts > stream.restarts ||
                            (stream.is_deleted && source.started != stream.started);
    if (stream.is_running || !(is_another || stream.has_failed)) continue;
    if (is_another) {
      stream.is_late = has_begun_;
      stream.is_deleted = false;
    }
    if (stream.is_deleted) stream.is_late = true;
    stream.started = source.started;
    stream.restarts = source.restarts;
    stream.is_running = true;
    tasks_.spawn("log", follow(source, stream));
  }
  std::erase_if(streams_, [](const auto& entry) {
    return !entry.second.is_running && !entry.second.is_listed;
  });
}

/// No pod may come any more. A server that can't tell is asked for nothing else either.
net::Task<bool> MergedLogs::has_workload_ended() {
  const Result<json::value> status = co_await context_.api.get_json(path_of(workload_, "status"));
  const json::object* object = status ? status->if_object() : nullptr;
  if (object == nullptr) co_return !status && !is_passing(status.error());
  co_return is_end_phase(json::text_of(*object, "phase"));
}

LogsOptions MergedLogs::options_for(const LogSource& source, const Stream* stream) const {
  LogsOptions options = options_;
  options.target = {source.pod, source.container};
  if (stream == nullptr) return options;
  // What came after us is new from its first line on.
  if (stream->is_late) options.tail_lines.reset();
  if (stream->last_time) {
    options.since.reset();
    options.since_time = *stream->last_time + nanoseconds(1);
  }
  return options;
}

net::Task<> MergedLogs::follow(LogSource source, Stream& stream) {
  PrefixedOutput output(shared_, prefix_for(source));
  const LogsOptions options = options_for(source, &stream);
  LogFollower follower(context_, workload_, options, output, source.label);
  const Result<> followed = co_await follower.run();
  const Result<> finished = co_await output.finish();
  if (const auto last = follower.last_time()) {
    stream.last_time = last;
    stream.has_failed = false;
  }
  stream.is_running = false;
  if (!followed) {
    end_stream(source, stream, followed.error());
  } else if (finished) {
    stream.has_failed = false;
  }
  // What failed is tried again when it is time to look, not at once.
  if (!stream.has_failed) changed_.notify();
}

void MergedLogs::end_stream(const LogSource& source, Stream& stream, const Error& error) {
  if (error.code == ErrorCode::Cancelled || !shared_.state) return;
  if (error.code == ErrorCode::Unauthenticated) {
    fatal_ = error;
    return;
  }
  // A pod that is replaced or scaled down is no failure. It is listed for a while, and asked for
  // once more: one of its name that was made within the same second looks the same.
  if (options_.follow && is_pod_deleted(error)) {
    const bool was_deleted = std::exchange(stream.is_deleted, true);
    stream.has_failed = !was_deleted;
    if (!was_deleted) note(fmt::format("{}: {}", source.label, error.message));
    return;
  }
  const bool is_gone = options_.follow && error.code == ErrorCode::NotFound;
  const bool is_known = std::exchange(stream.has_failed, is_gone || is_passing(error));
  if (is_known) return;
  note(fmt::format("{}: {}", source.label, error.message));
  if (!is_gone) has_failed_ = true;
}

std::string MergedLogs::prefix_for(const LogSource& source) {
  if (colours_ == Colours::None) return source.label + " ";
  const std::size_t next = pod_numbers_.size();
  const std::size_t number = pod_numbers_.try_emplace(source.pod, next).first->second;
  return fmt::format("\x1b[{}m{}\x1b[0m ", kColours[number % kColours.size()], source.label);
}

}  // namespace sluice::cli
