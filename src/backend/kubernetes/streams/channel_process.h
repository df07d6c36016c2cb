// ChannelProcess: exec and attach over the API server's channels (remote command v5, v4 with older
// servers). What the command's end was comes on the status channel: the Close is 1000, always.
// Source: kubernetes/apimachinery pkg/util/remotecommand, kubernetes/cri-streaming.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "backend/kubernetes/streams/stdin_holds.h"
#include "backend/kubernetes/streams/upstream.h"
#include "backend/loop_tasks.h"
#include "backend/options.h"
#include "backend/streams.h"
#include "channel/demultiplexer.h"
#include "channel/remote_command.h"
#include "net/event.h"

namespace sluice::backend::kubernetes {

/// What a ChannelProcess was asked for.
struct ChannelProcessOptions {
  enum class Kind { Exec, Attach };
  Kind kind = Kind::Exec;
  channel::Version version = channel::Version::V5;
  bool stdin = false;
  bool tty = false;
  OnDisconnect on_disconnect = OnDisconnect::Terminate;  // of an exec
};

class ChannelProcess final : public RemoteProcess {
 public:
  /// Once a status has come, the server has so long for its Close.
  static constexpr nanoseconds kStatusPatience = seconds(2);

  /// On the loop of `executor`. `tasks` outlives it. `hold` of an attach's stdin: null without.
  ChannelProcess(net::Executor executor, LoopTasks& tasks, std::unique_ptr<Upstream> upstream,
                 ChannelProcessOptions options, std::unique_ptr<StdinHold> hold = nullptr);
  ~ChannelProcess() override;

  net::Task<Result<ProcessOutput>> read(MutableBytes into) override;
  net::Task<Result<>> write(Bytes bytes) override;
  /// On v4 without a terminal there is no way to end stdin but to end the session, and at an
  /// attached terminal it would end the target: nothing happens.
  net::Task<Result<>> close_stdin() override;
  bool has_terminal() const override { return options_.tty; }
  void resize(TerminalSize size) override;
  /// Completes once read() has seen the end.
  net::Task<Result<ProcessExit>> wait() override;

 private:
  void take(const ws::MessagePiece& piece);
  void take_status(std::string_view text);
  net::Task<Result<>> send_input(Bytes bytes);
  ProcessExit exit_of_end(const ws::Close& close) const;
  ProcessExit exit_of_status() const;
  void hang_up();

  net::Executor executor_;
  LoopTasks& tasks_;
  std::unique_ptr<Upstream> upstream_;
  ChannelProcessOptions options_;
  std::unique_ptr<StdinHold> hold_;
  channel::Demultiplexer demultiplexer_;
  OutputChannel output_channel_ = OutputChannel::Stdout;
  Bytes output_;  // received and not yet read
  std::string status_;
  std::optional<ProcessExit> exit_;
  net::Event ended_;  // exit_ is set
  bool stdin_open_;
};

}  // namespace sluice::backend::kubernetes
