// ListWatch: `list --watch`: the server's watch, shown as it comes, over as many connections as it
// takes.
#pragma once

#include <string>

#include "base/backoff.h"
#include "cli/cluster/context.h"
#include "cli/terminal/output_format.h"
#include "cli/terminal/output_thread.h"
#include "cli/terminal/table.h"
#include "cli/workloads/workload_changes.h"

namespace sluice::cli {

class ListWatch {
 public:
  /// A server from which nothing came for so long is gone: that is several of its heartbeats.
  static constexpr nanoseconds kSilence = seconds(120);

  /// `path`: the watch's, with its query.
  ListWatch(Context& context, std::string path, OutputFormat format);

  /// Until nobody reads it. Errors: why it can't go on; Cancelled.
  net::Task<Result<int>> run();

 private:
  net::Task<Error> watch_once();
  Result<> take(const json::object& event);
  void show(const json::object& change);
  void show_row(const json::object& change);

  Context& context_;
  std::string path_;
  OutputFormat format_;
  OutputThread output_;
  WorkloadChanges changes_;
  Table table_;
  Backoff backoff_;
  bool has_begun_ = false;
  bool has_table_ = false;  // it is shown, header and all
  bool is_lost_ = false;    // and not yet connected again
};

}  // namespace sluice::cli
