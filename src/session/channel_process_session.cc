// exec and attach with Kubernetes channels: what kubectl's own client libraries speak. Follows
// kubernetes/cri-streaming pkg/streaming/remotecommand and kubernetes/apimachinery wsstream.
#include "channel/remote_command.h"
#include "session/process_end.h"
#include "session/process_session.h"
#include "session/transfer_buffer.h"

namespace sluice::session {
namespace {

using backend::OutputChannel;
using backend::ProcessOutput;
using backend::RemoteProcess;
using channel::StreamChannel;

net::Task<> write_input(SessionRun& run, RemoteProcess& process, Bytes bytes, bool& open) {
  run.hold_back();
  const Result<> written = co_await process.write(bytes);
  open = written.has_value();
  run.resume();
}

/// A process whose stdin can't be ended goes on as before: its own end is what counts.
net::Task<> end_input(SessionRun& run, RemoteProcess& process) {
  run.hold_back();
  const Result<> ended = co_await process.close_stdin();
  (void)ended;
  run.resume();
}

net::Task<> pump_input(SessionRun& run, RemoteProcess& process, bool open,
                       channel::Version version) {
  channel::ClientInputReader reader(version);
  while (true) {
    const Result<ws::Received> received = co_await run.socket.receive();
    const ws::MessagePiece* piece = run.message(received);
    if (piece == nullptr) co_return;
    const Result<channel::ClientInput> input = reader.feed(piece->payload, piece->ends_message);
    if (!input) {
      const ws::Close close{ws::CloseCode::ProtocolError, input.error().message};
      run.report(SessionEnd{SessionEndKind::ProtocolError, close.reason, close});
      co_return;
    }
    if (const auto* data = std::get_if<channel::StdinData>(&*input)) {
      const Bytes bytes = data->bytes;
      if (open) co_await write_input(run, process, bytes, open);
    } else if (std::holds_alternative<channel::StdinEnd>(*input)) {
      if (open) co_await end_input(run, process);
      open = false;
    } else if (const auto* size = std::get_if<channel::TerminalSize>(&*input)) {
      process.resize({.width = size->width, .height = size->height});
    }
  }
}

std::uint8_t byte_of(StreamChannel channel) { return static_cast<std::uint8_t>(channel); }

std::uint8_t byte_of(OutputChannel channel) {
  return byte_of(channel == OutputChannel::Stdout ? StreamChannel::Stdout : StreamChannel::Stderr);
}

/// What tells clients that the streams are there: an empty message on the lowest channel that the
/// server writes to.
std::byte lowest_writable(const backend::StreamOptions& streams) {
  if (streams.stdout) return std::byte{byte_of(StreamChannel::Stdout)};
  if (streams.stderr && !streams.tty) return std::byte{byte_of(StreamChannel::Stderr)};
  return std::byte{byte_of(StreamChannel::Error)};
}

net::Task<> send_status(SessionRun& run, const backend::ProcessExit& exit) {
  std::string status = status_of(exit);
  status.insert(status.begin(), static_cast<char>(byte_of(StreamChannel::Error)));
  const Bytes message = as_bytes(status);
  const Result<> sent = co_await run.socket.send(ws::Opcode::Binary, message);
  if (run.may_go_on(sent)) run.report(session_end_of(exit));
}

/// The upstream failed before the process's end could be known.
net::Task<> send_failure(SessionRun& run, const Error& error) {
  if (error.code == ErrorCode::Cancelled) co_return;
  const backend::ProcessExit failed = backend::ProcessFailed{error.message};
  co_await send_status(run, failed);
}

net::Task<> pump_output(SessionRun& run, RemoteProcess& process, backend::StreamOptions streams) {
  const std::byte first = lowest_writable(streams);
  const Bytes greeting(&first, 1);
  const Result<> greeted = co_await run.socket.send(ws::Opcode::Binary, greeting);
  if (!run.may_go_on(greeted)) co_return;
  {
    TransferBuffer buffer;
    while (true) {
      const Result<ProcessOutput> output = co_await process.read(buffer.space());
      if (!output) {
        co_await send_failure(run, output.error());
        co_return;
      }
      if (output->size == 0) break;
      const Bytes bytes = buffer.filled(output->size, byte_of(output->channel));
      if (!is_wanted(streams, output->channel)) continue;
      const Result<> sent = co_await run.socket.send(ws::Opcode::Binary, bytes);
      if (!run.may_go_on(sent)) co_return;
    }
  }
  const Result<backend::ProcessExit> exit = co_await process.wait();
  if (exit) {
    co_await send_status(run, *exit);
  } else {
    co_await send_failure(run, exit.error());
  }
}

}  // namespace

void start_channel_process(SessionRun& run, RemoteProcess& process,
                           const ProcessSessionOptions& options) {
  const channel::Version version =
      options.framing == Framing::ChannelsV5 ? channel::Version::V5 : channel::Version::V4;
  run.tasks.spawn("process input", pump_input(run, process, options.streams.stdin, version));
  run.tasks.spawn("process output", pump_output(run, process, options.streams));
}

}  // namespace sluice::session
