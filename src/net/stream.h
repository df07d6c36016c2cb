// Stream: both directions of one connection, whatever carries it: TCP, TLS over TCP, or memory
// (testing/memory_pipe.h). Readiness and transfer are apart, so a connection that waits holds no
// buffer: the caller brings one only when there is something to read.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "net/task.h"

namespace sluice::net {

/// One reader and one writer at a time; the two are independent of each other.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Completes when try_read() (try_write()) may make progress; may wake for nothing.
  /// Errors: Cancelled (the task's, or after close()), Unavailable (peer gone).
  virtual Task<Result<>> readable() = 0;
  virtual Task<Result<>> writable() = 0;

  /// Bytes read; 0 is the peer's end of stream; nullopt: nothing there yet, wait for readable().
  /// Errors: Unavailable (connection lost).
  virtual Result<std::optional<std::size_t>> try_read(MutableBytes into) = 0;
  /// Bytes taken; 0: none now, wait for writable(), then offer the same bytes again (TLS insists).
  /// Errors: Unavailable.
  virtual Result<std::size_t> try_write(Bytes bytes) = 0;
  /// The same with `first`, then `second`: a header and a payload that need not be joined by a
  /// copy.
  virtual Result<std::size_t> try_write_both(Bytes first, Bytes second);

  /// Half-close: the peer reads an end of stream; reading goes on.
  virtual void shutdown_write() = 0;
  /// Ends both directions and all waits. abort(): with a reset, so that the peer can't take what it
  /// has for the whole.
  virtual void close() = 0;
  virtual void abort() = 0;

  /// The peer's address, "192.0.2.1:4711", for logs.
  virtual std::string peer() const = 0;

  /// Waits and reads: at least one byte, or 0 at the end of stream.
  Task<Result<std::size_t>> read(MutableBytes into);
  /// Writes all. Cancelling leaves an unknown part written: only close() or abort() may follow.
  Task<Result<>> write(Bytes bytes);
};

}  // namespace sluice::net
