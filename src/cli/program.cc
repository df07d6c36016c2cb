#include "cli/program.h"

#include <csignal>

#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"
#include "net/event_loop.h"
#include "net/signals.h"
#include "net/task_group.h"

namespace sluice::cli {
namespace {

struct Ending {
  Result<int> result = fail(cancelled());
  int signal = 0;
};

net::Task<> carry_out(const RemoteCommand& command, Context& context, Ending& ending,
                      net::TaskGroup& tasks) {
  ending.result = co_await command(context);
  tasks.cancel();
}

net::Task<> await_signal(net::Executor executor, Ending& ending, net::TaskGroup& tasks) {
  net::SignalReader signals(executor, {SIGINT, SIGTERM, SIGHUP});
  const Result<int> signal = co_await signals.next();
  if (!signal) co_return;
  ending.signal = *signal;
  tasks.cancel();
}

net::Task<> stop_when_done(net::EventLoop& loop, net::TaskGroup& tasks) {
  co_await tasks.join();
  loop.stop();
}

int exit_code_of(const Ending& ending) {
  if (ending.result) return *ending.result;
  if (ending.signal != 0) return kSignalBase + ending.signal;
  report(ending.result.error());
  return cli::exit_code_of(ending.result.error().code);
}

Result<int> run_remote(const RemoteCommand& command, const Settings& settings,
                       const Environment& environment) {
  net::EventLoop loop;
  net::SystemTimers timers;
  OsRandom random;
  TRY(const std::unique_ptr<Connector> connector, Connector::open(settings, environment, timers));
  Credentials credentials(settings, environment, *connector, timers);
  ClusterApi api(settings.server, *connector, credentials, timers, random);
  Context context{settings, environment,     *connector, credentials,
                  api,      loop.executor(), timers,     random};
  Ending ending;
  net::TaskGroup tasks(loop.executor());
  net::TaskGroup end(loop.executor());
  tasks.spawn("command", carry_out(command, context, ending, tasks));
  tasks.spawn("signals", await_signal(loop.executor(), ending, tasks));
  end.spawn("end", stop_when_done(loop, tasks));
  loop.run();
  return exit_code_of(ending);
}

Result<int> run_any(const Invocation& invocation) {
  const ProcessEnvironment environment;
  if (const auto* local = std::get_if<LocalCommand>(&invocation.command)) {
    return (*local)(invocation.global, environment);
  }
  TRY(const Settings settings, resolve_settings(invocation.global, environment));
  return run_remote(std::get<RemoteCommand>(invocation.command), settings, environment);
}

}  // namespace

int run(const Invocation& invocation) {
  // A closed pipe is an error of write().
  net::block_signals({SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGWINCH});
  const Result<int> result = run_any(invocation);
  if (result) return *result;
  report(result.error());
  return exit_code_of(result.error().code);
}

}  // namespace sluice::cli
