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

/// Between the log and the socket. Apart from pump_log() so that what it needs for a moment does
/// not stay in that coroutine's frame, which every idle follower has.
class LineFramer final {
 public:
  LineFramer(SessionRun& run, LogStream& log, SessionStats* stats)
      : run_(run), log_(log), stats_(stats) {}

  /// Frames what the log has, as whole messages once it has ended. False: it can't be read, which
  /// is reported. `ready`: what waiting for it came to.
  bool append_lines(const Result<>& ready);
  /// Reports the log's end once what was appended is sent. False: there was one.
  bool goes_on() const;

 private:
  void append(const LogPiece& piece);

  SessionRun& run_;
  LogStream& log_;
  SessionStats* stats_;
  bool in_line_ = false;
};

bool LineFramer::append_lines(const Result<>& ready) {
  if (!ready) {
    run_.report_failure(ready.error());
    return false;
  }
  const Result<std::span<const LogPiece>> pieces = log_.read();
  if (!pieces) {
    run_.report_failure(pieces.error());
    return false;
  }
  std::uint64_t lines = 0;
  for (const LogPiece& piece : *pieces) {
    append(piece);
    lines += piece.ends_line ? 1 : 0;
  }
  if (stats_ != nullptr) stats_->lines += lines;
  // A log that ends within a line leaves no message unfinished.
  if (log_.end() && in_line_) append({.text = {}, .ends_line = true});
  return true;
}

/// A line in several pieces becomes one message of several frames.
void LineFramer::append(const LogPiece& piece) {
  const ws::Opcode opcode = in_line_ ? ws::Opcode::Continuation : ws::Opcode::Binary;
  run_.socket.append(opcode, as_bytes(piece.text), piece.ends_line);
  in_line_ = !piece.ends_line;
}

bool LineFramer::goes_on() const {
  const std::optional<backend::StreamEnd> end = log_.end();
  if (!end) return true;
  const bool deleted = *end == backend::StreamEnd::TargetDeleted;
  run_.report(deleted ? SessionEndKind::TargetDeleted : SessionEndKind::Completed,
              log_.end_reason());
  return false;
}

net::Task<> pump_log(SessionRun& run, LogStream& log, SessionStats* stats) {
  LineFramer framer(run, log, stats);
  while (true) {
    const Result<> ready = co_await log.readable();
    if (!framer.append_lines(ready)) co_return;
    const Result<> written = co_await run.socket.flush();
    if (!run.may_go_on(written) || !framer.goes_on()) co_return;
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
