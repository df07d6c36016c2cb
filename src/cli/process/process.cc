#include "cli/process/process.h"

#include <unistd.h>

#include "cli/cluster/workload_lookup.h"
#include "cli/process/process_session.h"
#include "cli/terminal/console.h"
#include "cli/terminal/terminal.h"

namespace sluice::cli {
namespace {

net::Task<Result<int>> run_session(Context& context, ProcessChannels& channels,
                                   const ProcessOptions& options, const DetachKeys& detach_keys) {
  std::optional<HeldTerminal> raw;
  if (options.tty && options.stdin && is_terminal(STDIN_FILENO)) {
    raw.emplace(STDIN_FILENO, HeldTerminal::Mode::Raw);
  }
  ProcessSession session(context, channels, options, detach_keys);
  co_return co_await session.run();
}

}  // namespace

net::Task<Result<int>> run_process(Context& context, WorkloadName name, ProcessOptions options) {
  CO_TRY(const DetachKeys detach_keys, DetachKeys::parse(options.detach_keys));
  CO_TRY(const workload::WorkloadRef workload, co_await look_up(context, name));
  if (options.tty && !is_terminal(STDIN_FILENO)) {
    // A terminal's input has no end, so what reads ours would wait for ever behind it.
    note("stdin is no terminal, so the command gets none either");
    options.tty = false;
  }
  CO_TRY(const std::unique_ptr<ProcessChannels> channels,
         co_await ProcessChannels::open(context, workload, options));
  const Result<int> result = co_await run_session(context, *channels, options, detach_keys);
  co_await channels->end();
  co_return result;
}

}  // namespace sluice::cli
