// logs: one line per binary message, many messages per write.
#include "session/session_run.h"

namespace sluice::session {
namespace {

using backend::LogPiece;
using backend::LogStream;

/// A client of a log has nothing to say: its messages are read and dropped, its Close ends the
/// session.
net::Task<> watch_client(SessionRun& run) {
  while (true) {
    const Result<ws::Received> received = co_await run.socket.receive();
    if (run.message(received) == nullptr) co_return;
  }
}

/// Frames pieces of lines; a line in several pieces becomes one message of several frames.
class LineFramer final {
 public:
  explicit LineFramer(ws::Connection& socket) : socket_(socket) {}

  /// Returns how many lines were completed.
  std::uint64_t append(std::span<const LogPiece> pieces) {
    std::uint64_t lines = 0;
    for (const LogPiece& piece : pieces) {
      const ws::Opcode opcode = in_line_ ? ws::Opcode::Continuation : ws::Opcode::Binary;
      socket_.append(opcode, as_bytes(piece.text), piece.ends_line);
      in_line_ = !piece.ends_line;
      lines += piece.ends_line ? 1 : 0;
    }
    return lines;
  }
  /// A log that ends within a line leaves no message unfinished.
  void finish() {
    if (in_line_) socket_.append(ws::Opcode::Continuation, {}, true);
    in_line_ = false;
  }

 private:
  ws::Connection& socket_;
  bool in_line_ = false;
};

net::Task<> pump_log(SessionRun& run, LogStream& log, SessionStats* stats) {
  LineFramer framer(run.socket);
  while (true) {
    const Result<> ready = co_await log.readable();
    if (!ready) {
      run.report_failure(ready.error());
      co_return;
    }
    const Result<std::span<const LogPiece>> pieces = log.read();
    if (!pieces) {
      run.report_failure(pieces.error());
      co_return;
    }
    const std::uint64_t lines = framer.append(*pieces);
    if (stats != nullptr) stats->lines += lines;
    const std::optional<backend::StreamEnd> end = log.end();
    if (end) framer.finish();
    if (!pieces->empty() || end) {
      const Result<> written = co_await run.socket.flush();
      if (!run.may_go_on(written)) co_return;
    }
    if (end) {
      const bool deleted = *end == backend::StreamEnd::TargetDeleted;
      run.report(deleted ? SessionEndKind::TargetDeleted : SessionEndKind::Completed,
                 log.end_reason());
      co_return;
    }
  }
}

}  // namespace

net::Task<SessionEnd> run_log_session(SessionContext context, ws::Connection& socket,
                                      backend::LogStream& log) {
  SessionRun run(context, socket);
  run.tasks.spawn("log client", watch_client(run));
  run.tasks.spawn("log pump", pump_log(run, log, context.stats));
  co_return co_await run.finish();
}

}  // namespace sluice::session
