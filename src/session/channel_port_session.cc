// port-forward with channel pairs: each port is a TCP connection of its own, and all share the
// WebSocket. A port that takes nothing holds up the others only once its queue is full. Follows
// kubernetes/cri-streaming pkg/streaming/portforward.
#include <list>

#include "channel/channel_pair.h"
#include "channel/demultiplexer.h"
#include "net/write_turns.h"
#include "session/port_session.h"
#include "session/transfer_buffer.h"

namespace sluice::session {
namespace {

using backend::PortStream;
using backend::StreamEnd;
using channel::ChannelPair;

constexpr std::size_t kMaxQueuedBytes = 256_KiB;  // from the client, for one port
// How long a pod may take, after the client's Close, to accept what the client had sent before.
constexpr nanoseconds kDrainPatience = seconds(10);

/// One port: its connection, and what the client sent that the pod has not taken yet.
struct Port {
  Port(net::Executor executor, std::uint8_t index, ForwardedPort forwarded)
      : pair{index},
        number(forwarded.port),
        stream(std::move(forwarded.stream)),
        queued(executor) {}

  ChannelPair pair;
  std::uint16_t number;
  Result<std::unique_ptr<PortStream>> stream;
  std::string queue;
  std::size_t unwritten = 0;  // of the queue, and what has left it and is being written
  bool takes_input = true;
  net::Event queued;
};

struct PortGroup {
  explicit PortGroup(SessionRun& session, net::Executor loop)
      : run(session), executor(loop), turns(loop), written(loop) {}

  SessionRun& run;
  net::Executor executor;
  std::list<Port> ports;
  std::size_t open = 0;
  std::size_t unreported = 0;  // those whose end is not told yet
  bool pod_deleted = false;
  net::WriteTurns turns;
  net::Event written;  // a port took input, or takes no more; pump_to_pods() waits for it
};

/// Sends what was framed by the caller, in turn. False: the session has ended.
net::Task<bool> send_in_turn(PortGroup& group, Bytes message) {
  const Result<> turn = co_await group.turns.take();
  if (!turn) co_return false;
  bool go_on = !group.run.has_ended();
  if (go_on) {
    const Result<> sent = co_await group.run.socket.send(ws::Opcode::Binary, message);
    go_on = group.run.may_go_on(sent);
  }
  group.turns.pass();
  co_return go_on;
}

net::Task<> announce(PortGroup& group) {
  for (const Port& port : group.ports) {
    for (const std::uint8_t channel : {port.pair.data(), port.pair.error()}) {
      group.run.socket.append(ws::Opcode::Binary, channel::port_announcement(channel, port.number));
    }
  }
  const Result<> sent = co_await group.run.socket.flush();
  (void)group.run.may_go_on(sent);
}

void stop_input(PortGroup& group, Port& port) {
  port.takes_input = false;
  port.queue = {};
  port.unwritten = 0;
  group.written.notify();
}

net::Task<> write_queue(PortGroup& group, Port& port) {
  while (port.takes_input) {
    while (port.queue.empty()) {
      const Result<> woken = co_await port.queued.wait();
      if (!woken) co_return;
    }
    const std::string taken = std::exchange(port.queue, {});
    const Bytes bytes = as_bytes(taken);
    const Result<> written = co_await (*port.stream)->write(bytes);
    if (!written) {
      // The reading side gets what the pod sent before, and the reason.
      if (written.error().code != ErrorCode::Cancelled) stop_input(group, port);
      co_return;
    }
    port.unwritten -= bytes.size();
    group.written.notify();
  }
}

/// Delivers what the pod sends. Returns why there is no more; nullopt when the session has ended.
net::Task<std::optional<std::string>> read_port(PortGroup& group, Port& port) {
  TransferBuffer buffer;
  while (true) {
    const Result<std::size_t> count = co_await (*port.stream)->read(buffer.space());
    if (!count) {
      if (count.error().code == ErrorCode::Cancelled) co_return std::nullopt;
      co_return count.error().message;
    }
    if (*count == 0) break;
    const Bytes message = buffer.filled(*count, port.pair.data());
    const bool go_on = co_await send_in_turn(group, message);
    if (!go_on) co_return std::nullopt;
  }
  if ((*port.stream)->end() != StreamEnd::TargetDeleted) co_return std::string();
  group.pod_deleted = true;
  co_return std::string(kPodDeleted);
}

/// Says on the port's error channel why it ended. A clean end of the last one needs no words: the
/// Close says it, and clients take any text here for a failure (Python's throws away what the port
/// had sent).
net::Task<> end_port(PortGroup& group, Port& port, std::string why) {
  --group.open;
  if (!why.empty() || group.open > 0) {
    std::string message(1, static_cast<char>(port.pair.error()));
    message += about_port(port.number);
    message += why.empty() ? "connection closed" : why;
    const Bytes bytes = as_bytes(message);
    const bool go_on = co_await send_in_turn(group, bytes);
    if (!go_on) co_return;
  }
  // A report waits for its turn: others may have ended, and wait for theirs, meanwhile.
  --group.unreported;
  if (group.unreported > 0) co_return;
  if (group.pod_deleted) {
    group.run.report_deleted();
  } else {
    group.run.report(SessionEndKind::Completed, "connection closed");
  }
}

net::Task<> serve_port(PortGroup& group, Port& port) {
  if (!port.stream) {
    stop_input(group, port);
    std::string why = port.stream.error().message;
    co_await end_port(group, port, std::move(why));
    co_return;
  }
  net::TaskGroup writer(group.executor);
  writer.spawn("port input", write_queue(group, port));
  std::optional<std::string> why = co_await read_port(group, port);
  writer.cancel();
  co_await writer.join();
  port.stream
      ->reset();  // the pod sees the end of its connection now, not at the end of the session
  stop_input(group, port);
  if (why) co_await end_port(group, port, std::move(*why));
}

Port* find_port(PortGroup& group, std::uint8_t channel) {
  for (Port& port : group.ports) {
    if (port.pair == channel::pair_of(channel) && port.takes_input) return &port;
  }
  return nullptr;
}

/// Queues bytes for a port, waiting while its queue is full. False: cancelled.
net::Task<bool> enqueue(PortGroup& group, Port& port, Bytes bytes) {
  group.run.hold_back();
  while (!bytes.empty() && port.takes_input) {
    const std::size_t count = std::min(bytes.size(), kMaxQueuedBytes - port.unwritten);
    if (count > 0) {
      port.queue += as_text(bytes.first(count));
      port.unwritten += count;
      bytes = bytes.subspan(count);
      port.queued.notify();
      continue;
    }
    const Result<> woken = co_await group.written.wait();
    if (!woken) co_return false;
  }
  group.run.resume();
  co_return true;
}

/// After the client's Close: waits until the pods have taken all that it sent.
net::Task<> drain(PortGroup& group, const ws::Close& close) {
  const SessionEnd end{SessionEndKind::ClientClosed, close.reason, close};
  group.run.report_after(kDrainPatience, end);
  group.run.hold_back();
  const auto is_waiting = [](const Port& port) { return port.unwritten > 0; };
  while (std::ranges::any_of(group.ports, is_waiting)) {
    const Result<> woken = co_await group.written.wait();
    if (!woken) co_return;
  }
  group.run.report(end);
}

net::Task<> pump_to_pods(PortGroup& group) {
  channel::Demultiplexer demultiplexer;
  while (true) {
    const Result<ws::Received> received = co_await group.run.socket.receive();
    const auto* close = received ? std::get_if<ws::Close>(&*received) : nullptr;
    if (close != nullptr && close->code != ws::CloseCode::Abnormal) {
      co_await drain(group, *close);
      co_return;
    }
    const ws::MessagePiece* piece = group.run.message(received);
    if (piece == nullptr) co_return;
    const auto input = demultiplexer.feed(piece->payload, piece->ends_message);
    if (!input || !channel::is_data(input->channel)) continue;
    Port* port = find_port(group, input->channel);
    if (port == nullptr) continue;
    const Bytes bytes = input->payload;
    const bool go_on = co_await enqueue(group, *port, bytes);
    if (!go_on) co_return;
  }
}

net::Task<> serve_ports(PortGroup& group) {
  co_await announce(group);
  if (group.run.has_ended()) co_return;
  for (Port& port : group.ports) group.run.tasks.spawn("port", serve_port(group, port));
  co_await pump_to_pods(group);
}

}  // namespace

net::Task<SessionEnd> run_channel_ports(SessionContext context, ws::Connection& socket,
                                        std::vector<ForwardedPort> ports) {
  SessionRun run(context, socket);
  PortGroup group(run, context.executor);
  for (ForwardedPort& forwarded : ports) {
    const auto index = static_cast<std::uint8_t>(group.ports.size());
    group.ports.emplace_back(context.executor, index, std::move(forwarded));
  }
  group.open = group.unreported = group.ports.size();
  run.tasks.spawn("ports", serve_ports(group));
  co_return co_await run.finish();
}

}  // namespace sluice::session
