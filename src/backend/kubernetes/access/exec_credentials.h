// ExecCredentials: credentials from a plugin, which is run when they are needed: once for all who
// wait, whatever their loop.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "backend/kubernetes/access/exec_credential.h"
#include "net/event.h"
#include "net/timers.h"

namespace sluice::backend::kubernetes {

/// Any loop.
class ExecCredentials {
 public:
  /// How long the plugin may take.
  static constexpr nanoseconds kPatience = seconds(30);
  /// Credentials are not used in the last part of their life: a request takes a while, and clocks
  /// differ.
  static constexpr nanoseconds kLeeway = seconds(10);
  /// Credentials that are refused when they are this new would be refused again.
  static constexpr nanoseconds kMinAge = seconds(10);

  /// `info` is exec_info() for the plugin.
  ExecCredentials(ExecPlugin plugin, std::string info, net::Timers& timers);

  /// The credentials in force; runs the plugin when there are none. Errors: Unavailable, its cause
  /// what the plugin wrote to stderr; Cancelled.
  net::Task<Result<ExecCredential>> get();
  /// They were refused: the next get() runs the plugin.
  void forget();

 private:
  struct Waiter {
    net::Executor loop;
    std::shared_ptr<net::Event> told;
  };
  /// One run of the plugin, which others may wait for.
  struct Run {
    std::vector<Waiter> waiters;
    Result<ExecCredential> result = fail(cancelled());
  };

  bool is_good() const;
  net::Task<Result<ExecCredential>> run();
  net::Task<Result<ExecCredential>> run_plugin();

  const ExecPlugin plugin_;
  const std::string info_;
  net::Timers& timers_;
  std::mutex mutex_;
  std::optional<ExecCredential> credential_;
  MonotonicTime fetched_{};
  std::shared_ptr<Run> run_;  // null: none is under way
};

}  // namespace sluice::backend::kubernetes
