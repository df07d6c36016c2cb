#include "backend/kubernetes/streams/streams.h"

#include <array>

#include <fmt/format.h>

#include "backend/kubernetes/api/readiness.h"
#include "backend/kubernetes/cache/node_start.h"
#include "backend/kubernetes/streams/channel_framing.h"
#include "backend/kubernetes/streams/channel_process.h"
#include "backend/kubernetes/streams/spdy_framing.h"
#include "backend/kubernetes/streams/upstream_port.h"
#include "base/text.h"
#include "net/current_executor.h"

namespace sluice::backend::kubernetes {
namespace {

using Kind = ChannelProcessOptions::Kind;

/// In this order: every server since 1.30 takes the first, every older one the second.
constexpr std::array<std::string_view, 2> kProcessSubprotocols = {"v5.channel.k8s.io",
                                                                  "v4.channel.k8s.io"};
/// The first is known from 1.31 on, the second to all.
constexpr std::array<std::string_view, 2> kPortSubprotocols = {SpdyFraming::kSubprotocol,
                                                               ChannelFraming::kSubprotocol};

std::string pod_path(const PodRecord& pod, std::string_view subresource) {
  return fmt::format("/api/v1/namespaces/{}/pods/{}/{}", pod.namespace_name, pod.name, subresource);
}

std::unexpected<Error> conflict(std::string message) {
  return fail(ErrorCode::Conflict, std::move(message));
}

/// Null: the pod is gone.
Result<> check_pod(const PodRecord* known) {
  if (known == nullptr) return fail(ErrorCode::NotFound, "the pod is gone");
  const PodRecord& pod = *known;
  if (pod.deleting) return conflict(fmt::format("pod \"{}\" is terminating", pod.name));
  if (pod.phase == PodPhase::Succeeded || pod.phase == PodPhase::Failed) {
    return conflict(fmt::format("pod \"{}\" has finished", pod.name));
  }
  if (pod.node.empty()) return conflict(fmt::format("pod \"{}\" is not scheduled yet", pod.name));
  return {};
}

Result<const ContainerRecord*> check_container(const PodRecord* known, const std::string& name) {
  TRY_VOID(check_pod(known));
  TRY(const ContainerRecord* const container, known->require_container(name));
  switch (container->state) {
    case ContainerState::Running: return container;
    case ContainerState::Terminated:
      return conflict(fmt::format("container \"{}\" has ended", name));
    case ContainerState::Waiting:
      return conflict(fmt::format("container \"{}\" is not running{}{}", name,
                                  container->reason.empty() ? "" : ": ", container->reason));
  }
  std::unreachable();
}

/// A run of a container has a stdin of its own.
Result<std::unique_ptr<StdinHold>> hold_stdin(StdinHolds& holds, const PodRecord& pod,
                                              const ContainerRecord& container) {
  constexpr std::string_view kWayOut =
      "attach without stdin, or use exec to run a command of your own in it";
  if (!container.stdin) {
    return fail(
        ErrorCode::Unavailable,
        fmt::format("container \"{}\" was started without stdin; {}", container.name, kWayOut));
  }
  auto hold = holds.take(pod.uid + "/" + container.name + "/" + container.container_id);
  if (hold) return hold;
  return fail(ErrorCode::Unavailable,
              fmt::format("stdin of container \"{}\" is held by another session; {}",
                          container.name, kWayOut));
}

std::string query_of(std::string_view container, const StreamOptions& streams) {
  return fmt::format("container={}&stdin={}&stdout={}&stderr={}&tty={}", container, streams.stdin,
                     streams.stdout, streams.stderr && !streams.tty, streams.tty);
}

net::Task<Result<ApiWebSocket>> connect(StreamServices services, PodWatch& pod, ApiRequest request,
                                        std::span<const std::string_view> subprotocols) {
  const MonotonicTime deadline = services.timers.now() + kNodeStart;
  while (true) {
    ApiRequest attempt = request;
    Result<ApiWebSocket> opened =
        co_await services.client.connect_websocket(std::move(attempt), subprotocols);
    if (opened) co_return opened;
    const Error refusal = co_await judge_refusal(services.client, opened.error());
    CO_TRY_VOID(co_await await_node(refusal, pod, services.timers, deadline));
  }
}

std::unique_ptr<PortFraming> framing_of(std::string_view subprotocol, std::uint16_t port) {
  if (subprotocol == SpdyFraming::kSubprotocol) return std::make_unique<SpdyFraming>(port);
  return std::make_unique<ChannelFraming>();
}

net::Task<Result<std::unique_ptr<RemoteProcess>>> open_process(StreamServices services,
                                                               std::unique_ptr<PodWatch> pod,
                                                               ApiRequest request,
                                                               ChannelProcessOptions options,
                                                               std::optional<TerminalSize> size,
                                                               std::unique_ptr<StdinHold> hold) {
  CO_TRY(ApiWebSocket opened,
         co_await connect(services, *pod, std::move(request), kProcessSubprotocols));
  options.version = opened.subprotocol == kProcessSubprotocols.front() ? channel::Version::V5
                                                                       : channel::Version::V4;
  const net::Executor executor = co_await net::current_executor();
  Upstream::Options upstream_options{.ping_interval = services.ping_interval, .keep_alive = {}};
  auto upstream = std::make_unique<Upstream>(executor, services.timers, std::move(opened.socket),
                                             std::move(pod), std::move(upstream_options));
  auto process = std::make_unique<ChannelProcess>(executor, services.tasks, std::move(upstream),
                                                  options, std::move(hold));
  if (size) process->resize(*size);
  co_return process;
}

}  // namespace

net::Task<Result<std::unique_ptr<RemoteProcess>>> open_exec(StreamServices services,
                                                            std::unique_ptr<PodWatch> pod,
                                                            std::string container,
                                                            ExecOptions options,
                                                            std::optional<Impersonation> as) {
  const std::shared_ptr<const PodRecord> known = pod->current();
  CO_TRY_VOID(check_container(known.get(), container));
  ApiRequest request;
  request.path = pod_path(*known, "exec");
  request.query = query_of(container, options.streams);
  for (const std::string& argument : options.command) {
    request.query += "&command=" + percent_encode(argument);
  }
  request.as = std::move(as);
  ChannelProcessOptions process;
  process.stdin = options.streams.stdin;
  process.tty = options.streams.tty;
  process.on_disconnect = options.on_disconnect;
  co_return co_await open_process(services, std::move(pod), std::move(request), process,
                                  options.streams.size, nullptr);
}

net::Task<Result<std::unique_ptr<RemoteProcess>>> open_attach(StreamServices services,
                                                              std::unique_ptr<PodWatch> pod,
                                                              std::string container,
                                                              AttachOptions options,
                                                              std::optional<Impersonation> as) {
  const std::shared_ptr<const PodRecord> known = pod->current();
  CO_TRY(const ContainerRecord* const record, check_container(known.get(), container));
  std::unique_ptr<StdinHold> hold;
  if (options.stdin) {
    CO_TRY(hold, hold_stdin(services.stdin_holds, *known, *record));
  }
  options.tty = record->tty;  // the container has a terminal or not: an attach can't change that
  ApiRequest request;
  request.path = pod_path(*known, "attach");
  request.query = query_of(container, options);
  request.as = std::move(as);
  ChannelProcessOptions process;
  process.kind = Kind::Attach;
  process.stdin = options.stdin;
  process.tty = options.tty;
  co_return co_await open_process(services, std::move(pod), std::move(request), process,
                                  options.size, std::move(hold));
}

net::Task<Result<std::unique_ptr<PortStream>>> open_port(StreamServices services,
                                                         std::unique_ptr<PodWatch> pod,
                                                         std::uint16_t port,
                                                         std::optional<Impersonation> as) {
  const std::shared_ptr<const PodRecord> known = pod->current();
  CO_TRY_VOID(check_pod(known.get()));
  ApiRequest request;
  request.path = pod_path(*known, "portforward");
  request.query = fmt::format("ports={}", port);
  request.as = std::move(as);
  CO_TRY(ApiWebSocket opened,
         co_await connect(services, *pod, std::move(request), kPortSubprotocols));
  std::unique_ptr<PortFraming> framing = framing_of(opened.subprotocol, port);
  const net::Executor executor = co_await net::current_executor();
  Upstream::Options options{.ping_interval = services.ping_interval,
                            .keep_alive = framing->keep_alive()};
  auto upstream = std::make_unique<Upstream>(executor, services.timers, std::move(opened.socket),
                                             std::move(pod), std::move(options));
  auto stream = std::make_unique<UpstreamPort>(executor, services.tasks, std::move(upstream),
                                               std::move(framing));
  CO_TRY_VOID(co_await stream->open());
  co_return stream;
}

}  // namespace sluice::backend::kubernetes
