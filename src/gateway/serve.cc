#include "gateway/serve.h"

#include "gateway/access.h"
#include "gateway/exec_request.h"
#include "gateway/list_request.h"
#include "gateway/log_download.h"
#include "gateway/log_request.h"
#include "gateway/record.h"
#include "gateway/session_start.h"
#include "gateway/status_response.h"
#include "net/current_executor.h"

namespace sluice::gateway {
namespace {

using workload::Verb;
using workload::WorkloadRef;

net::Task<Result<Answer>> serve_cluster_status(const Services& services, Exchange& exchange) {
  CO_TRY_VOID(co_await authenticate(services, exchange));
  co_return cluster_status_response(services.backend.cluster_status(), services.settings.version);
}

net::Task<Result<Answer>> serve_workload_status(const Services& services, Exchange& exchange) {
  CO_TRY(const auth::Caller caller, co_await authenticate(services, exchange));
  CO_TRY(const WorkloadRef workload, parse_workload(exchange.route));
  CO_TRY_VOID(co_await authorize(services, exchange, caller, Verb::Status, workload.project));
  CO_TRY(const auto status, co_await services.backend.workload_status(caller, workload));
  co_return workload_status_response(status);
}

net::Task<Result<Answer>> serve_workload_watch(const Services& services, auth::Caller caller,
                                               std::string project, ListRequest request) {
  auto watch = std::make_unique<WorkloadWatch>();
  CO_TRY(watch->ticket, admit(services, caller));
  const net::Executor executor = co_await net::current_executor();
  watch->changes = services.backend.watch_project(project, executor);  // before the first look
  CO_TRY(watch->first, co_await services.backend.list_workloads(caller, project));
  watch->caller = std::move(caller);
  watch->project = std::move(project);
  watch->request = std::move(request);
  co_return Answer(std::move(watch));
}

net::Task<Result<Answer>> serve_workloads(const Services& services, Exchange& exchange) {
  CO_TRY(const auth::Caller caller, co_await authenticate(services, exchange));
  CO_TRY(const std::string project, parse_project(exchange.route));
  CO_TRY(const ListRequest request, parse_list_request(exchange.head.query));
  CO_TRY_VOID(co_await authorize(services, exchange, caller, Verb::Status, project));
  if (request.watch) co_return co_await serve_workload_watch(services, caller, project, request);
  CO_TRY(auto workloads, co_await services.backend.list_workloads(caller, project));
  co_return workload_list_response(select(std::move(workloads), request));
}

net::Task<Result<Answer>> serve_pods(const Services& services, Exchange& exchange) {
  CO_TRY(const auth::Caller caller, co_await authenticate(services, exchange));
  CO_TRY(const WorkloadRef workload, parse_workload(exchange.route));
  CO_TRY_VOID(co_await authorize(services, exchange, caller, Verb::Status, workload.project));
  CO_TRY(const auto pods, co_await services.backend.list_pods(caller, workload));
  co_return pod_list_response(pods);
}

net::Task<Result<Answer>> serve_logs(const Services& services, Exchange& exchange) {
  CO_TRY(const auth::Caller caller, co_await authenticate(services, exchange));
  CO_TRY(const WorkloadRef workload, parse_workload(exchange.route));
  CO_TRY(const LogRequest request,
         parse_log_request(exchange.head.query, LogDelivery::Stream, services.timers.wall_now()));
  CO_TRY_VOID(co_await authorize(services, exchange, caller, Verb::Logs, workload.project));
  CO_TRY(const Upgrade upgrade, require_upgrade(exchange.head.fields, kLogSubprotocols));
  CO_TRY(SessionTicket ticket, admit(services, caller));
  CO_TRY(const auto container,
         co_await resolve(services, exchange, caller, workload, request.target));
  auto session = prepare(services, exchange, SessionKind::Logs, caller, std::move(ticket));
  CO_TRY(session->source, co_await services.backend.open_log(caller, container, request.options));
  co_return co_await start_session(services, exchange, upgrade, std::move(session));
}

net::Task<Result<Answer>> serve_log_download(const Services& services, Exchange& exchange) {
  CO_TRY(const auth::Caller caller, co_await authenticate(services, exchange));
  CO_TRY(const WorkloadRef workload, parse_workload(exchange.route));
  CO_TRY(const LogRequest request,
         parse_log_request(exchange.head.query, LogDelivery::Download, services.timers.wall_now()));
  CO_TRY_VOID(co_await authorize(services, exchange, caller, Verb::Logs, workload.project));
  CO_TRY(const SessionTicket ticket, admit(services, caller));  // to its end
  CO_TRY(const auto container,
         co_await resolve(services, exchange, caller, workload, request.target));
  CO_TRY(auto log, co_await services.backend.open_log(caller, container, request.options));
  co_return co_await send_log_download(services, exchange, container, std::move(log));
}

net::Task<Result<Answer>> serve_exec(const Services& services, Exchange& exchange) {
  CO_TRY(const auth::Caller caller, co_await authenticate(services, exchange));
  CO_TRY(const WorkloadRef workload, parse_workload(exchange.route));
  CO_TRY(const ExecRequest request, parse_exec_request(exchange.head.query, exchange.head.fields));
  CO_TRY_VOID(co_await authorize(services, exchange, caller, Verb::Exec, workload.project));
  CO_TRY(const Upgrade upgrade, require_upgrade(exchange.head.fields, kProcessSubprotocols));
  CO_TRY(SessionTicket ticket, admit(services, caller));
  const backend::Target& target = request.streams.target;
  exchange.command = request.command;
  CO_TRY(const auto container, co_await resolve(services, exchange, caller, workload, target));
  const auto options = process_options(request.streams, upgrade.framing);
  auto session = prepare(services, exchange, SessionKind::Exec, caller, std::move(ticket));
  CO_TRY_VOID(co_await begin_recording(services, caller, Verb::Exec, options.streams, *session));
  backend::ExecOptions exec{request.command, options.streams, request.on_disconnect};
  CO_TRY(auto process, co_await services.backend.exec(caller, container, std::move(exec)));
  session->source = process_source(std::move(process), options, *session);
  co_return co_await start_session(services, exchange, upgrade, std::move(session));
}

net::Task<Result<Answer>> serve_attach(const Services& services, Exchange& exchange) {
  CO_TRY(const auth::Caller caller, co_await authenticate(services, exchange));
  CO_TRY(const WorkloadRef workload, parse_workload(exchange.route));
  CO_TRY(const StreamRequest request, parse_attach_request(exchange.head.query));
  CO_TRY_VOID(co_await authorize(services, exchange, caller, Verb::Attach, workload.project));
  CO_TRY(const Upgrade upgrade, require_upgrade(exchange.head.fields, kProcessSubprotocols));
  CO_TRY(SessionTicket ticket, admit(services, caller));
  CO_TRY(const auto container,
         co_await resolve(services, exchange, caller, workload, request.target));
  const auto options = process_options(request, upgrade.framing);
  auto session = prepare(services, exchange, SessionKind::Attach, caller, std::move(ticket));
  CO_TRY_VOID(co_await begin_recording(services, caller, Verb::Attach, options.streams, *session));
  CO_TRY(auto process, co_await services.backend.attach(caller, container, options.streams));
  session->source = process_source(std::move(process), options, *session);
  co_return co_await start_session(services, exchange, upgrade, std::move(session));
}

net::Task<Result<Answer>> serve_port_forward(const Services& services, Exchange& exchange) {
  CO_TRY(const auth::Caller caller, co_await authenticate(services, exchange));
  CO_TRY(const WorkloadRef workload, parse_workload(exchange.route));
  CO_TRY(const PortForwardRequest request, parse_port_forward_request(exchange.head.query));
  CO_TRY_VOID(co_await authorize(services, exchange, caller, Verb::PortForward, workload.project));
  const auto subprotocols = port_subprotocols(request.ports.size());
  CO_TRY(const Upgrade upgrade, require_upgrade(exchange.head.fields, subprotocols));
  CO_TRY(SessionTicket ticket, admit(services, caller));
  CO_TRY(const auto container,
         co_await resolve(services, exchange, caller, workload, request.target));
  CO_TRY(auto ports, co_await connect_ports(services, caller, container, request.ports));
  auto session = prepare(services, exchange, SessionKind::PortForward, caller, std::move(ticket));
  session->source = PortSource{std::move(ports), port_options(request, upgrade.framing)};
  co_return co_await start_session(services, exchange, upgrade, std::move(session));
}

}  // namespace

net::Task<Result<Answer>> serve(const Services& services, Exchange& exchange) {
  switch (exchange.route.endpoint) {
    case Endpoint::ClusterStatus: return serve_cluster_status(services, exchange);
    case Endpoint::Workloads: return serve_workloads(services, exchange);
    case Endpoint::WorkloadStatus: return serve_workload_status(services, exchange);
    case Endpoint::Pods: return serve_pods(services, exchange);
    case Endpoint::Logs: return serve_logs(services, exchange);
    case Endpoint::LogDownload: return serve_log_download(services, exchange);
    case Endpoint::Exec: return serve_exec(services, exchange);
    case Endpoint::Attach: return serve_attach(services, exchange);
    case Endpoint::PortForward: return serve_port_forward(services, exchange);
    case Endpoint::Unknown:
    case Endpoint::kCount: break;
  }
  std::unreachable();  // Router::match() returns no such route
}

}  // namespace sluice::gateway
