#include "backend/kubernetes/access/exec_credentials.h"

#include <fmt/format.h>

#include "net/current_executor.h"
#include "net/deadline.h"
#include "net/event_loop.h"
#include "net/program.h"
#include "observe/log.h"

namespace sluice::backend::kubernetes {

ExecCredentials::ExecCredentials(ExecPlugin plugin, std::string info, net::Timers& timers)
    : plugin_(std::move(plugin)), info_(std::move(info)), timers_(timers) {}

bool ExecCredentials::is_good() const {
  return credential_ &&
         (!credential_->expires || timers_.wall_now() + kLeeway < *credential_->expires);
}

net::Task<Result<ExecCredential>> ExecCredentials::get() {
  const net::Executor loop = co_await net::current_executor();
  while (true) {
    std::shared_ptr<Run> other;
    const auto told = std::make_shared<net::Event>(loop);
    {
      const std::lock_guard lock(mutex_);
      if (is_good()) co_return *credential_;
      other = run_;
      if (other) other->waiters.push_back({loop, told});
      if (!other) run_ = std::make_shared<Run>();
    }
    if (!other) co_return co_await run();
    CO_TRY_VOID(co_await told->wait());
    // Whoever ran the plugin may have gone before it was done: then it is our turn.
    if (other->result || other->result.error().code != ErrorCode::Cancelled) {
      co_return other->result;
    }
  }
}

/// Runs the plugin for all; run_ is ours.
net::Task<Result<ExecCredential>> ExecCredentials::run() {
  auto task = run_plugin();
  const MonotonicTime deadline = timers_.now() + kPatience;
  Result<ExecCredential> result = co_await net::before(deadline, timers_, std::move(task));
  if (!result && result.error().code != ErrorCode::Cancelled) {
    Error& error = result.error();
    error.cause =
        plugin_.command + ": " + error.message + (error.cause.empty() ? "" : ": " + error.cause);
    error.message = "the gateway could not get credentials for the cluster";
    error.code = ErrorCode::Unavailable;
    log(LogLevel::Error, "credential plugin failed", error);
  }
  std::shared_ptr<Run> done;
  {
    const std::lock_guard lock(mutex_);
    done = std::move(run_);
    done->result = result;
    if (result) {
      credential_ = *result;
      fetched_ = timers_.now();
    }
  }
  // Nobody can begin to wait for it any more.
  for (Waiter& waiter : done->waiters) {
    net::post(waiter.loop, [told = std::move(waiter.told), done] { told->notify(); });
  }
  co_return result;
}

net::Task<Result<ExecCredential>> ExecCredentials::run_plugin() {
  net::Program program{plugin_.command, plugin_.arguments, plugin_.environment};
  program.environment.emplace_back("KUBERNETES_EXEC_INFO", info_);
  Result<net::ProgramEnd> end = co_await net::run_program(std::move(program));
  if (!end) {
    if (end.error().code == ErrorCode::NotFound) end.error().cause += " " + plugin_.install_hint;
    co_return fail(end.error());
  }
  if (end->exit_code != 0) {
    Error error{ErrorCode::Unavailable, fmt::format("it ended with code {}", end->exit_code)};
    error.cause = end->errors;
    co_return fail(std::move(error));
  }
  co_return parse_exec_credential(end->output, plugin_.api_version);
}

void ExecCredentials::forget() {
  const std::lock_guard lock(mutex_);
  if (credential_ && timers_.now() - fetched_ >= kMinAge) credential_.reset();
}

}  // namespace sluice::backend::kubernetes
