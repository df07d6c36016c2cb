// port-forward of one port as plain bytes: the WebSocket is one TCP connection to the pod.
#include "session/port_session.h"

#include <array>

#include "session/transfer_buffer.h"

namespace sluice::session {
namespace {

using backend::PortStream;

struct RawPort {
  SessionRun& run;
  PortStream& stream;
  std::string about;  // "port 8090: "
  EmptyMessage empty_message;
  bool client_ended = false;  // by an empty message
  bool pod_ended = false;
  std::optional<Error> write_error;
};

void report_closed(SessionRun& run) { run.report(SessionEndKind::Completed, "connection closed"); }

net::Task<> write_to_pod(RawPort& port, Bytes bytes) {
  port.run.hold_back();
  const Result<> written = co_await port.stream.write(bytes);
  port.run.resume();
  if (written || written.error().code == ErrorCode::Cancelled) co_return;
  // What the pod sent before it went away is still to be delivered: pump_from_pod() ends the
  // session.
  port.write_error = written.error();
  if (port.pod_ended) port.run.report_failure(*port.write_error, port.about);
}

net::Task<> end_to_pod(RawPort& port) {
  port.client_ended = true;
  port.run.hold_back();
  const Result<> ended = co_await port.stream.half_close();
  (void)ended;  // a connection that is broken shows that to its reader
  port.run.resume();
  if (port.pod_ended) report_closed(port.run);
}

net::Task<> pump_to_pod(RawPort& port) {
  while (true) {
    const Result<ws::Received> received = co_await port.run.socket.receive();
    const ws::MessagePiece* piece = port.run.message(received);
    if (piece == nullptr) co_return;
    if (port.client_ended || port.write_error) continue;
    if (!piece->payload.empty()) {
      const Bytes bytes = piece->payload;
      co_await write_to_pod(port, bytes);
    } else if (port.empty_message == EmptyMessage::EndsInput && piece->is_empty_message()) {
      co_await end_to_pod(port);
    }
  }
}

/// The pod sends no more. What the client sends flows on, until the pod is gone as a whole.
net::Task<> wait_for_end_of_pod(RawPort& port) {
  std::array<std::byte, 1> nothing;
  const Result<std::size_t> count = co_await port.stream.read(nothing);
  if (!count) {
    port.run.report_failure(count.error(), port.about);
  } else if (port.stream.end() == backend::StreamEnd::TargetDeleted) {
    port.run.report_deleted();
  }
}

/// The pod sends no more, and all that it sent is out.
net::Task<> end_from_pod(RawPort& port) {
  SessionRun& run = port.run;
  if (port.stream.end() == backend::StreamEnd::TargetDeleted) {
    run.report_deleted();
    co_return;
  }
  if (port.empty_message == EmptyMessage::EndsInput) {
    port.pod_ended = true;
    const Bytes nothing;
    const Result<> sent = co_await run.socket.send(ws::Opcode::Binary, nothing);
    if (!run.may_go_on(sent)) co_return;
    if (port.write_error) run.report_failure(*port.write_error, port.about);
    if (!port.client_ended) {
      co_await wait_for_end_of_pod(port);
      co_return;
    }
  }
  report_closed(run);
}

net::Task<> pump_from_pod(RawPort& port) {
  TransferBuffer buffer;
  while (true) {
    const Result<std::size_t> count = co_await port.stream.read(buffer.space());
    if (!count) {
      port.run.report_failure(count.error(), port.about);
      co_return;
    }
    if (*count == 0) break;
    const Bytes bytes = buffer.filled(*count);
    const Result<> sent = co_await port.run.socket.send(ws::Opcode::Binary, bytes);
    if (!port.run.may_go_on(sent)) co_return;
  }
  co_await end_from_pod(port);
}

}  // namespace

net::Task<SessionEnd> run_raw_port(SessionContext context, ws::Connection& socket,
                                   ForwardedPort forwarded, EmptyMessage empty_message) {
  SessionRun run(context, socket);
  if (!forwarded.stream) {
    run.report_failure(forwarded.stream.error(), about_port(forwarded.port));
    co_return co_await run.finish();
  }
  RawPort port{.run = run,
               .stream = **forwarded.stream,
               .about = about_port(forwarded.port),
               .empty_message = empty_message,
               .write_error = {}};
  run.tasks.spawn("port input", pump_to_pod(port));
  run.tasks.spawn("port output", pump_from_pod(port));
  co_return co_await run.finish();
}

net::Task<SessionEnd> run_port_session(SessionContext context, ws::Connection& socket,
                                       std::vector<ForwardedPort> ports,
                                       PortSessionOptions options) {
  if (options.framing == Framing::Raw && ports.size() == 1) {
    return run_raw_port(context, socket, std::move(ports.front()), options.empty_message);
  }
  return run_channel_ports(context, socket, std::move(ports));
}

}  // namespace sluice::session
