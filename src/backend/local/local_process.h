// LocalProcess: the session's end of a process, started by exec or joined by attach. It lives on
// the session's loop and talks to the kernel only: pipes or a terminal for the bytes, a control
// socket for the end. Whoever is at the other end (a shim, or the supervisor's Attachment) speaks
// ShimMessage.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "backend/local/process_control.h"
#include "backend/streams.h"
#include "net/descriptor.h"
#include "net/timers.h"

namespace sluice::backend::local {

/// What happens to stdin at close_stdin().
enum class InputEnd {
  Close,         // the program reads an end of file
  EndCharacter,  // a terminal: Ctrl-D
  LetGo,         // attach: the container's stdin stays open for the next one (as stdinOnce=false)
};

struct ProcessStreams {
  UniqueFd input;     // absent: no stdin
  UniqueFd stdout;    // absent: not asked for
  UniqueFd stderr;    // absent: not asked for, or one with stdout
  UniqueFd terminal;  // absent: none; for its size
  InputEnd input_end = InputEnd::Close;
};

/// Set once, by the supervisor, when the removal of a pod begins; read by everything that ends with
/// it.
using DeletedFlag = std::shared_ptr<const std::atomic<bool>>;

/// Takes over the outputs of a process that outlives its session, if only by its clean-up.
using TakeOutputs = std::move_only_function<void(std::vector<UniqueFd>)>;

class LocalProcess final : public RemoteProcess {
 public:
  /// How long descendants that keep the output open can hold its end after the process ended.
  static constexpr seconds kLinger{2};

  /// Errors: Unavailable (no descriptors left).
  static Result<std::unique_ptr<LocalProcess>> make(net::Executor executor, net::Timers& timers,
                                                    ProcessControl control, ProcessStreams streams,
                                                    DeletedFlag deleted);

  ~LocalProcess() override;

  /// What to do with the outputs if it is dropped while the process runs. Default: close them.
  void leave_outputs_to(TakeOutputs take) { take_outputs_ = std::move(take); }

  net::Task<Result<ProcessOutput>> read(MutableBytes into) override;
  net::Task<Result<>> write(Bytes bytes) override;
  net::Task<Result<>> close_stdin() override;
  bool has_terminal() const override { return static_cast<bool>(terminal_); }
  void resize(TerminalSize size) override;
  net::Task<Result<ProcessExit>> wait() override;

 private:
  struct Output {
    OutputChannel channel;
    UniqueFd fd;                      // absent: ended
    std::optional<std::size_t> left;  // when overdue: how much of it is still delivered
  };

  LocalProcess(net::Executor executor, net::Timers& timers, ProcessControl control,
               ProcessStreams streams, DeletedFlag deleted, UniqueFd epoll);

  void watch(int fd);
  void unwatch(int fd);
  void notice_end();
  std::optional<ProcessOutput> try_read(MutableBytes into);
  void end_output(Output& output);
  net::Task<Result<>> output_readable();
  net::Task<Result<>> write_input(Bytes bytes);

  net::Executor executor_;
  net::Timers& timers_;
  ProcessControl control_;
  std::optional<net::Descriptor> input_;
  std::array<Output, 2> outputs_;
  net::Descriptor ready_;  // an epoll set of the outputs and, until the end was noticed, control_
  UniqueFd terminal_;
  DeletedFlag deleted_;
  TakeOutputs take_outputs_;
  std::optional<MonotonicTime> overdue_at_;  // set once the end of the process was noticed
  InputEnd input_end_;
  bool input_ended_ = false;
  char last_input_ = '\n';  // what a terminal's end of input depends on
  bool had_input_;
};

}  // namespace sluice::backend::local
