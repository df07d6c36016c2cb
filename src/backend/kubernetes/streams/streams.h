// The three ways into a container that are WebSockets to the API server. What the informers know
// beforehand (pod gone, terminating, container not running, no stdin) is said before anything is
// opened, so that the caller gets a status and not a broken stream.
#pragma once

#include <memory>
#include <string>

#include "backend/kubernetes/api/api_client.h"
#include "backend/kubernetes/cache/pod_watch.h"
#include "backend/kubernetes/streams/stdin_holds.h"
#include "backend/kubernetes/streams/upstream.h"
#include "backend/loop_tasks.h"
#include "backend/streams.h"

namespace sluice::backend::kubernetes {

/// What opening a stream takes; all outlive the streams.
struct StreamServices {
  ApiClient& client;
  LoopTasks& tasks;
  net::Timers& timers;
  StdinHolds& stdin_holds;
  nanoseconds ping_interval = Upstream::kPingInterval;
};

/// Errors: NotFound, Conflict, InvalidArgument, PermissionDenied, Unavailable.
net::Task<Result<std::unique_ptr<RemoteProcess>>> open_exec(StreamServices services,
                                                            std::unique_ptr<PodWatch> pod,
                                                            std::string container,
                                                            ExecOptions options,
                                                            std::optional<Impersonation> as);
net::Task<Result<std::unique_ptr<RemoteProcess>>> open_attach(StreamServices services,
                                                              std::unique_ptr<PodWatch> pod,
                                                              std::string container,
                                                              AttachOptions options,
                                                              std::optional<Impersonation> as);
net::Task<Result<std::unique_ptr<PortStream>>> open_port(StreamServices services,
                                                         std::unique_ptr<PodWatch> pod,
                                                         std::uint16_t port,
                                                         std::optional<Impersonation> as);

}  // namespace sluice::backend::kubernetes
