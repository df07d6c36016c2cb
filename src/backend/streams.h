// What a backend hands out: a log, a process, a port. Each is owned by one session, lives on the
// loop it was opened on, and ends its upstream when dropped. Nothing calls upward.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "backend/options.h"
#include "base/bytes.h"
#include "loglines/piece.h"
#include "net/task.h"

namespace sluice::backend {

/// How a stream came to its end by itself. A failure is an Error instead.
enum class StreamEnd {
  Completed,      // the log was read, the container ended, the peer closed
  TargetDeleted,  // the pod was deleted or its workload removed
};

/// A piece of one log line; most lines are one.
using LogPiece = loglines::Piece;

class LogStream {
 public:
  virtual ~LogStream() = default;

  /// Completes when read() has something to give or the stream has ended.
  /// Errors: Unavailable or Internal when the upstream failed or lines were lost ("log lines
  /// lost").
  virtual net::Task<Result<>> readable() = 0;
  /// The next pieces, some 256 KiB at most; empty: nothing now. Valid until the next call of
  /// read(), and only until the calling task suspends: the memory may be shared by all logs of a
  /// loop.
  virtual Result<std::span<const LogPiece>> read() = 0;
  /// Set once everything has been read.
  virtual std::optional<StreamEnd> end() const = 0;
  /// For the close reason: "end of logs", "container ended", "pod deleted".
  virtual std::string_view end_reason() const = 0;
};

enum class OutputChannel { Stdout, Stderr };

struct ProcessOutput {
  OutputChannel channel = OutputChannel::Stdout;
  std::size_t size = 0;  // bytes read; 0: all output has ended
};

struct Exited {
  int code = 0;
};
struct Killed {
  int signal = 0;
};
/// The process could not be started or its end is not known: what the runtime said.
struct ProcessFailed {
  std::string message;
};
/// The pod went away under it.
struct ProcessDeleted {};
/// An attach: the stream ended without a result of its own.
struct Detached {};

using ProcessExit = std::variant<Exited, Killed, ProcessFailed, ProcessDeleted, Detached>;

/// A process in a container, by exec or attach. One reader, one writer and one wait() at a time,
/// beside each other. Dropping it is a disconnect: see OnDisconnect for exec; an attach never ends
/// its target.
class RemoteProcess {
 public:
  virtual ~RemoteProcess() = default;

  /// The next output. After the process ended, its descendants hold the end for at most 2 s.
  /// Errors: Unavailable, Internal.
  virtual net::Task<Result<ProcessOutput>> read(MutableBytes into) = 0;
  /// All of it, into stdin; completing is the backpressure. A process that closed its stdin takes
  /// and drops the rest. Errors: Conflict without stdin.
  virtual net::Task<Result<>> write(Bytes bytes) = 0;
  /// Ends stdin; on a TTY sends end-of-transmission. Idempotent.
  virtual net::Task<Result<>> close_stdin() = 0;
  /// Of an exec what was asked for; of an attach what the container has.
  virtual bool has_terminal() const = 0;
  /// Without a TTY it does nothing.
  virtual void resize(TerminalSize size) = 0;
  /// How it ended. Completes after the process did.
  virtual net::Task<Result<ProcessExit>> wait() = 0;
};

/// One TCP connection to a port of a pod.
class PortStream {
 public:
  virtual ~PortStream() = default;

  /// Bytes read; 0: the pod's side ended, see end(). Errors: Unavailable ("connection reset").
  /// After an end that was Completed, the pod may still take what the client sends: the next read
  /// waits, where the upstream can tell, until that is over, too, and returns 0 or the error.
  virtual net::Task<Result<std::size_t>> read(MutableBytes into) = 0;
  virtual net::Task<Result<>> write(Bytes bytes) = 0;
  /// The client sends no more. Where the upstream can't (Kubernetes) it is held back until the pod
  /// closes or 30 s pass.
  virtual net::Task<Result<>> half_close() = 0;
  virtual std::optional<StreamEnd> end() const = 0;
};

}  // namespace sluice::backend
