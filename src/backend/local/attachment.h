// Attachment: the supervisor's end of one attach. It gets a copy of what the container writes from
// now on, and tells the session how the container ended. The session's end is a LocalProcess over
// the same pipes.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "backend/local/process_protocol.h"
#include "backend/options.h"
#include "backend/streams.h"
#include "base/bytes.h"
#include "net/descriptor.h"
#include "net/event.h"
#include "net/task_group.h"

namespace sluice::backend::local {

/// What the supervisor hands to the session that attaches.
struct AttachGrant {
  UniqueFd control;
  UniqueFd stdout;
  UniqueFd stderr;
  UniqueFd input;     // a duplicate of the container's stdin
  UniqueFd terminal;  // a duplicate of its terminal
};

/// Bytes wait in the kernel's pipe first, then in `pending`, which the container's reader keeps
/// short: it reads no more until it is empty. That is how a slow attach slows its container.
class Attachment : public std::enable_shared_from_this<Attachment> {
 public:
  /// Fills in `grant` but for input and terminal. Errors: Unavailable (no descriptors left).
  static Result<std::shared_ptr<Attachment>> make(net::Executor executor,
                                                  const StreamOptions& options, AttachGrant& grant);

  /// Starts its tasks; `tasks` keeps it alive until it has ended and delivered everything.
  void start(net::TaskGroup& tasks);
  void push(OutputChannel channel, Bytes bytes);
  bool has_pending() const;
  /// The session has gone, or everything was delivered after finish().
  bool ended() const { return ended_; }
  /// The container ended: delivers what is pending, then this.
  void finish(ShimMessage end);

  /// Notified when nothing is pending any more or it ended: both readers of a container wait for
  /// that.
  net::Event& drained(OutputChannel channel) {
    return drained_[channel == OutputChannel::Stdout ? 0 : 1];
  }
  /// Whether this one holds the container's stdin.
  bool holds_input = false;

 private:
  struct Output {
    std::optional<net::Descriptor> pipe;
    std::vector<std::byte> pending;
  };

  Attachment(net::Executor executor, UniqueFd control);

  Output* output(OutputChannel channel);
  /// Writes what the pipe takes.
  void flush(Output& output);
  void end();

  static net::Task<> watch_control(std::shared_ptr<Attachment> self);
  static net::Task<> deliver(std::shared_ptr<Attachment> self);

  net::Descriptor control_;
  std::array<Output, 2> outputs_;
  std::array<bool, 2> wanted_{};
  bool combined_ = false;  // stderr goes to the first output
  net::Event changed_;
  std::array<net::Event, 2> drained_;
  std::optional<ShimMessage> result_;
  bool ended_ = false;
};

}  // namespace sluice::backend::local
