#include "cli/port/port_forward.h"

#include <list>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/cluster/api_path.h"
#include "cli/cluster/workload_lookup.h"
#include "cli/port/forward_check.h"
#include "cli/port/forwarded_connection.h"
#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"
#include "net/listener.h"

namespace sluice::cli {
namespace {

using workload::WorkloadRef;

Result<std::uint16_t> parse_port(std::string_view text) {
  constexpr std::int64_t kMaxPort = 65535;
  const auto port = parse_int64(text);
  if (port && *port >= 1 && *port <= kMaxPort) return static_cast<std::uint16_t>(*port);
  return fail(ErrorCode::InvalidArgument,
              fmt::format("\"{}\" is no port: expected 1 to 65535", text));
}

std::string path_for(const WorkloadRef& workload, const TargetOptions& target, std::uint16_t port) {
  Query query;
  query.add("pod", target.pod).add("container", target.container);
  query.add("port", std::to_string(port)).add("halfClose", "empty");
  return query.on(path_of(workload, "port-forward"));
}

/// One connection, from its opening to its end.
net::Task<Result<>> forward(Context& context, const std::string& path, LocalEnd& local) {
  CO_TRY(WebSocket opened, co_await context.api.open_websocket(path, kRaw));
  ServerSocket socket(context.executor, context.timers, std::move(opened.connection));
  Result<> result;
  {
    ForwardedConnection connection(context.executor, socket, local);
    result = co_await connection.run();
  }
  co_await socket.end();
  co_return result;
}

/// A connection that fails is told of, and harms no other.
net::Task<> serve(Context& context, std::string path, std::unique_ptr<net::Stream> stream) {
  SocketEnd local(std::move(stream));
  const Result<> result = co_await forward(context, path, local);
  if (result) co_return;
  local.abort();
  if (result.error().code != ErrorCode::Cancelled) report(result.error());
}

net::Task<> accept_all(Context& context, net::Listener& listener, std::string path,
                       net::TaskGroup& connections) {
  while (true) {
    Result<std::unique_ptr<net::TcpStream>> stream = co_await listener.accept(context.timers);
    if (!stream) co_return;
    connections.spawn("connection", serve(context, path, *std::move(stream)));
  }
}

net::Task<Result<int>> serve_ports(Context& context, const WorkloadRef& workload,
                                   const PortForwardOptions& options) {
  std::string path = path_for(workload, options.target, options.ports.front().remote);
  CO_TRY_VOID(co_await check_forward(context, workload, options.target, std::move(path)));
  std::list<net::Listener> listeners;
  net::TaskGroup tasks(context.executor);
  for (const PortMapping& port : options.ports) {
    const net::ListenAddress address{options.address, port.local};
    Result<net::Listener> listener =
        net::Listener::open(context.executor, address, net::Listener::Sharing::First);
    if (!listener) {
      tasks.cancel();
      co_await tasks.join();
      co_return fail(ErrorCode::InvalidArgument, listener.error().message);
    }
    listeners.push_back(*std::move(listener));
    // Whoever reads no more of it still has the ports.
    (void)print(fmt::format("{} -> {}\n", listeners.back().address().to_string(), port.remote));
    path = path_for(workload, options.target, port.remote);
    tasks.spawn("accept", accept_all(context, listeners.back(), path, tasks));
  }
  co_await tasks.finish();
  co_return fail(cancelled());  // only a signal ends it
}

}  // namespace

Result<PortMapping> parse_port_mapping(std::string_view text) {
  const std::size_t colon = text.find(':');
  PortMapping mapping;
  TRY(mapping.remote, parse_port(colon == std::string_view::npos ? text : text.substr(colon + 1)));
  if (colon == std::string_view::npos) {
    mapping.local = mapping.remote;
  } else if (colon > 0) {
    TRY(mapping.local, parse_port(text.substr(0, colon)));
  }
  return mapping;
}

net::Task<Result<int>> run_port_forward(Context& context, WorkloadName name,
                                        PortForwardOptions options) {
  if (options.ports.empty() == (options.stdio == 0)) {
    co_return fail(ErrorCode::InvalidArgument, "give --port, or else --stdio");
  }
  CO_TRY(const WorkloadRef workload, co_await look_up(context, name));
  if (options.stdio == 0) co_return co_await serve_ports(context, workload, options);
  const std::string path = path_for(workload, options.target, options.stdio);
  StandardEnd local(context.executor);
  const Result<> result = co_await forward(context, path, local);
  if (result) co_return kSuccess;
  Error error = co_await explain(context, workload, result.error());
  co_return fail(std::move(error));
}

}  // namespace sluice::cli
