// MergedLogs: `logs --all-pods`: the logs of all pods and containers of a workload as one, each
// line with where it is from.
#pragma once

#include <map>
#include <string>

#include "cli/logs/log_sources.h"
#include "cli/logs/logs.h"
#include "cli/logs/prefixed_output.h"
#include "cli/terminal/output.h"
#include "net/event.h"
#include "net/task_group.h"
#include "workload/workload_ref.h"

namespace sluice::cli {

class MergedLogs {
 public:
  /// How soon a new pod is seen.
  static constexpr nanoseconds kInterval = seconds(2);

  enum class Colours { None, ByPod };

  /// `options` and `output` outlive it.
  MergedLogs(Context& context, workload::WorkloadRef workload, const LogsOptions& options,
             Output& output, Colours colours);

  /// One after the other; with `follow` all at once, until the workload has ended. The exit code is
  /// that of a remote failure when one of them failed. Errors: why none can be read; Cancelled.
  net::Task<Result<int>> run();

 private:
  /// One container's, over all its runs.
  struct Stream {
    std::int64_t restarts = 0;  // of the run that is, or was, followed
    bool is_running = false;
    bool is_late = false;     // it began after us
    bool has_failed = false;  // and may be tried again
    bool is_deleted = false;  // its pod is, listed or not
    std::string started;      // when the run began
    bool is_listed = false;
    std::optional<WallTime> last_time;  // of its last line
  };

  net::Task<Result<json::object>> list_pods();
  net::Task<Result<>> read_all();
  net::Task<Result<>> follow_all();
  net::Task<Result<bool>> look_for_pods();
  void start_streams(const std::vector<LogSource>& sources);
  net::Task<bool> has_workload_ended();
  LogsOptions options_for(const LogSource& source, const Stream* stream) const;
  net::Task<> follow(LogSource source, Stream& stream);
  void end_stream(const LogSource& source, Stream& stream, const Error& error);
  std::string prefix_for(const LogSource& source);

  Context& context_;
  workload::WorkloadRef workload_;
  const LogsOptions& options_;
  Colours colours_;
  SharedOutput shared_;
  std::map<std::string, Stream> streams_;
  std::map<std::string, std::size_t> pod_numbers_;  // for their colours, in the order they came
  bool has_begun_ = false;                          // the pods that were there at first are known
  bool is_lost_ = false;                            // the server
  bool is_waiting_ = false;                         // for a pod, and has said so
  bool has_failed_ = false;
  std::optional<Error> fatal_;  // ends all
  net::Event changed_;          // a stream has ended
  net::TaskGroup tasks_;
};

}  // namespace sluice::cli
