// ContainerScript: a shell script in a container, and a thread here that talks with it as with a
// process of this machine: through pipes, which the loop joins to the script's channels.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "cli/cluster/workload_name.h"
#include "cli/copy/complaints.h"
#include "cli/copy/worker_thread.h"
#include "cli/process/process_channels.h"
#include "cli/terminal/progress_line.h"
#include "net/descriptor.h"

namespace sluice::cli {

/// How a script and our talk with it went.
struct ScriptReport {
  Result<int> exit_code = fail(cancelled());
  Result<> talk = fail(cancelled());        // Unavailable: the script's side ended too early
  std::map<std::string, std::string> said;  // the script's words, each with what follows it
  Complaints complaints;                    // other lines of its stderr

  bool has(const char* word) const { return said.contains(word); }
  std::string after(const char* word) const {
    const auto found = said.find(word);
    return found == said.end() ? std::string() : found->second;
  }
};

class ContainerScript {
 public:
  /// What begins a line of the script's stderr that is for us: "sluice-cp: WORD REST".
  static constexpr std::string_view kWord = "sluice-cp: ";

  /// On the thread: `from` is the script's stdout, `to` its stdin; both end when they are closed
  /// here. `from` must be read to its end unless something fails.
  using Talk =
      std::move_only_function<Result<>(UniqueFd from, UniqueFd to, const std::stop_token& stop)>;

  /// Where it runs, and what it is.
  struct Command {
    workload::WorkloadRef workload;
    TargetOptions target;
    std::vector<std::string> words;
    std::string subject;  // of what is shown of its progress; empty: nothing is
  };

  /// Runs it to its end. What passes through the pipes is shown as progress; the word "size" says
  /// how much there will be. Errors: those of ProcessChannels::open(); Cancelled.
  static net::Task<Result<ScriptReport>> run(Context& context, Command command, Talk talk);

  ContainerScript(const ContainerScript&) = delete;
  ContainerScript& operator=(const ContainerScript&) = delete;

 private:
  struct Pipes {
    UniqueFd to_thread, thread_reads, thread_writes, from_thread;
  };

  ContainerScript(Context& context, ProcessChannels& channels, const std::string& subject,
                  Pipes pipes, Talk talk);
  static Result<Pipes> make_pipes();
  net::Task<Result<ScriptReport>> run_to_end();
  net::Task<> receive();
  net::Task<> send();
  net::Task<> await_talk();
  net::Task<Result<>> pass_on(Bytes bytes);
  void take_stderr(Bytes bytes);
  void take_line(std::string_view line);
  void show(std::size_t bytes);

  ProcessChannels& channels_;
  net::Descriptor to_thread_;
  net::Descriptor from_thread_;
  std::string line_;  // of stderr, not whole yet
  ScriptReport report_;
  std::optional<ProgressLine> progress_;
  net::TaskGroup tasks_;
  WorkerThread thread_;
};

}  // namespace sluice::cli
