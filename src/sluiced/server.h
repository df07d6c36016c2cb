// Server: the whole graph of objects of a running sluiced, and its life: start, serve, reload, hand
// over, drain, stop. The one place that names concrete parts: the local backend, JWTs, the policy,
// TLS, the real clock.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "auth/jwt_verifier.h"
#include "auth/policy.h"
#include "backend/local/process_host.h"
#include "backend/managed_backend.h"
#include "gateway/connection_limit.h"
#include "gateway/record.h"
#include "gateway/services.h"
#include "net/event_loop.h"
#include "net/task_group.h"
#include "net/tls_context.h"
#include "sluiced/admin_listener.h"
#include "sluiced/config.h"
#include "sluiced/hand_over.h"
#include "sluiced/idle_wait.h"
#include "sluiced/inheritance.h"
#include "sluiced/notifier.h"
#include "sluiced/server_sockets.h"
#include "sluiced/worker_group.h"

namespace sluice::sluiced {

class Server {
 public:
  /// Binds what it doesn't inherit, reads keys, certificates and workloads; nothing is served yet.
  /// `host` outlives the server; `program` is what it hands over to. Errors: InvalidArgument (what
  /// the files say), Unavailable (ports, state directory).
  static Result<std::unique_ptr<Server>> open(Config config, std::string program,
                                              Inheritance inheritance,
                                              backend::local::ProcessHost& host);

  /// Serves until SIGTERM or SIGINT, then drains: sessions get the grace period, then 1001; a
  /// second signal shortens it. SIGHUP rereads workloads, policy and certificates. SIGUSR2 hands
  /// over to the program that is installed by now (hand_over.h). The signals must be blocked. The
  /// calling thread runs the first loop.
  void run();

 private:
  Server(Config config, std::string program, Inheritance inheritance);
  Result<> open_auth();
  Result<> open_recordings();
  Result<> open_backend(backend::local::ProcessHost& host);
  Result<> open_local(const LocalBackendFiles& files, backend::local::ProcessHost& host);
  Result<> open_kubernetes(const backend::kubernetes::KubernetesConfig& config);
  std::vector<net::EventLoop*> loops() const;
  void make_workers(ServerSockets sockets);
  net::Task<> come_into_service();
  net::Task<Result<>> await_backend();
  void start_accepting();
  void announce() const;

  net::Task<Result<std::string>> fetch_keys(std::string url);
  net::Task<> supervise();
  net::Task<> watch_certificate();
  void reload();
  void begin_hand_over();
  net::Task<> hand_over();
  SuccessorStart successor_start();
  net::Task<> retire();
  void begin_shutdown();
  net::Task<> shut_down(nanoseconds grace);
  net::Task<WaitEnd> leave_the_rest_to_the_next();
  net::Task<> stop_accepting();

  Config config_;
  const std::string program_;
  Inheritance inheritance_;
  const Notifier notifier_ = Notifier::from_environment();
  OsRandom random_;
  net::SystemTimers timers_;
  Metrics metrics_;
  gateway::SessionLimits limits_;
  gateway::ConnectionLimit connections_;
  std::unique_ptr<AuditTrail> audit_;  // null: none is kept
  std::atomic<gateway::Stage> stage_ = gateway::Stage::Starting;

  net::EventLoop backend_loop_;
  std::vector<std::unique_ptr<net::EventLoop>> loops_;  // the first is that of run()'s thread
  net::EventLoop& first_loop_;
  std::optional<gateway::Recordings> recordings_;  // absent: none are made; it posts to the loops
  IdleWait idle_wait_;

  std::shared_ptr<const net::TlsContext> key_fetch_tls_;  // shared with the fetches under way
  std::unique_ptr<net::TlsCertificate> certificate_;      // null: plaintext
  std::unique_ptr<auth::JwtVerifier> verifier_;
  std::unique_ptr<auth::PolicyAuthorizer> policy_;  // null: the cluster's RBAC decides
  std::unique_ptr<backend::ManagedBackend> backend_;
  std::vector<net::ListenAddress> addresses_;  // for clients, with the ports that were picked
  auth::Authorizer* authorizer_ = nullptr;     // the policy or the backend's; set once it is open
  std::optional<gateway::Services> services_;
  WorkerGroup workers_;                   // one a loop
  std::unique_ptr<AdminListener> admin_;  // on the first loop; may be null

  // On the first loop.
  bool handed_over_ = false;
  std::optional<Predecessor> predecessor_;  // until we may serve
  net::TaskGroup handing_over_;
  net::TaskGroup watchers_;
  net::TaskGroup tasks_;
  std::vector<std::jthread> threads_;
};

}  // namespace sluice::sluiced
