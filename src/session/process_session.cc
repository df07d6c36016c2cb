// exec and attach with plain bytes: client messages are stdin, server messages are output.
#include "session/process_session.h"

#include "session/process_end.h"
#include "session/transfer_buffer.h"

namespace sluice::session {
namespace {

using backend::ProcessOutput;
using backend::RemoteProcess;

net::Task<> pump_input(SessionRun& run, RemoteProcess& process, bool open, EmptyMessage empty) {
  while (true) {
    const Result<ws::Received> received = co_await run.socket.receive();
    const ws::MessagePiece* piece = run.message(received);
    if (piece == nullptr) co_return;
    if (!open) continue;
    run.hold_back();
    if (!piece->payload.empty()) {
      // A process that takes no more does not end the session: its output and exit code are to
      // come.
      const Bytes bytes = piece->payload;
      const Result<> written = co_await process.write(bytes);
      open = written.has_value();
    } else if (empty == EmptyMessage::EndsInput && piece->is_empty_message()) {
      const Result<> ended = co_await process.close_stdin();
      (void)ended;  // nothing to do: the process's own end is what counts
      open = false;
    }
    run.resume();
  }
}

net::Task<> pump_output(SessionRun& run, RemoteProcess& process, backend::StreamOptions streams) {
  TransferBuffer buffer;
  while (true) {
    const Result<ProcessOutput> output = co_await process.read(buffer.space());
    if (!output) {
      run.report_failure(output.error());
      co_return;
    }
    if (output->size == 0) break;
    const Bytes bytes = buffer.filled(output->size);
    if (!is_wanted(streams, output->channel)) continue;
    const Result<> sent = co_await run.socket.send(ws::Opcode::Binary, bytes);
    if (!run.may_go_on(sent)) co_return;
  }
  const Result<backend::ProcessExit> exit = co_await process.wait();
  if (exit) {
    run.report(session_end_of(*exit));
  } else {
    run.report_failure(exit.error());
  }
}

}  // namespace

void start_raw_process(SessionRun& run, RemoteProcess& process,
                       const ProcessSessionOptions& options) {
  run.tasks.spawn("process input",
                  pump_input(run, process, options.streams.stdin, options.empty_message));
  run.tasks.spawn("process output", pump_output(run, process, options.streams));
}

net::Task<SessionEnd> run_process_session(SessionContext context, ws::Connection& socket,
                                          RemoteProcess& process, ProcessSessionOptions options) {
  SessionRun run(context, socket);
  switch (options.framing) {
    case Framing::Raw: start_raw_process(run, process, options); break;
    case Framing::ChannelsV4:
    case Framing::ChannelsV5: start_channel_process(run, process, options); break;
  }
  co_return co_await run.finish();
}

}  // namespace sluice::session
