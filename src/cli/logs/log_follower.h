// LogFollower: `logs -f`: one log, over as many connections as it takes. It asks for time stamps,
// by which it knows after a cut which lines are new (loglines/resume.h), and takes them off again.
#pragma once

#include <string>
#include <vector>

#include "base/backoff.h"
#include "cli/cluster/server_socket.h"
#include "cli/logs/logs.h"
#include "cli/terminal/output.h"
#include "loglines/reader.h"
#include "loglines/resume.h"
#include "workload/workload_ref.h"

namespace sluice::cli {

/// A log's pod was deleted: no more will come.
bool is_pod_deleted(const Error& error);

class LogFollower {
 public:
  /// `subject`: which log it is, for notes; empty: there is only one.
  LogFollower(Context& context, workload::WorkloadRef workload, const LogsOptions& options,
              Output& output, std::string_view subject = {});

  /// Until the log has ended. Errors: why it can't be followed any longer (is_pod_deleted()
  /// tells one); Cancelled.
  net::Task<Result<>> run();
  /// Of the last line; nullopt: there was none.
  std::optional<WallTime> last_time() const { return resume_.last_time(); }

 private:
  using Resume = loglines::Resume;
  enum class Outcome { Ended, AskAgain, Cut };

  net::Task<Result<>> pin_target();
  net::Task<Result<Outcome>> read_body();
  net::Task<Result<Outcome>> receive(ServerSocket& socket, Resume::Reading reading);
  Result<Outcome> end_body(const ws::Close& close, Resume::Reading reading);
  Result<> examine();
  void hand_on(std::span<char> text, bool is_last);
  std::string path(std::string_view resume_query) const;

  Context& context_;
  workload::WorkloadRef workload_;
  TargetOptions target_;
  Output& output_;
  std::string subject_;
  Resume resume_;
  loglines::Reader reader_;
  Backoff backoff_;
  std::vector<char> buffer_;  // received, and not yet handed on
  std::string lost_;          // why the connection was lost; empty: it wasn't
};

}  // namespace sluice::cli
