// Server: the whole graph of objects of a running sluiced, and its life: start, serve, reload,
// drain, stop. The one place that names concrete parts: the local backend, JWTs, the policy, TLS,
// the real clock.
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
#include "gateway/services.h"
#include "net/event.h"
#include "net/event_loop.h"
#include "net/task_group.h"
#include "net/tls_context.h"
#include "sluiced/config.h"
#include "sluiced/worker.h"

namespace sluice::sluiced {

class Server {
 public:
  /// Binds, reads keys, certificates and workloads; nothing is served yet. `host` outlives the
  /// server. Errors: InvalidArgument (what the files say), Unavailable (ports, state directory).
  static Result<std::unique_ptr<Server>> open(Config config, backend::local::ProcessHost& host);

  /// Serves until SIGTERM or SIGINT, then drains: sessions get the grace period, then 1001; a
  /// second signal shortens it. SIGHUP rereads workloads, policy and certificates. The signals must
  /// be blocked. The calling thread runs the first loop.
  void run();

 private:
  using Listeners = std::vector<net::Listener>;

  explicit Server(Config config);
  Result<> open_auth();
  Result<std::vector<Listeners>> open_listeners();
  Result<> open_backend(backend::local::ProcessHost& host);
  Result<> open_local(const LocalBackendFiles& files, backend::local::ProcessHost& host);
  Result<> open_kubernetes(const backend::kubernetes::KubernetesConfig& config);
  void make_workers(std::vector<Listeners> listeners, std::optional<net::Listener> admin);
  net::Task<> await_backend();
  void announce() const;

  net::Task<Result<std::string>> fetch_keys(std::string url);
  net::Task<> supervise();
  net::Task<> watch_certificate();
  net::Task<> shut_down();
  net::Task<> wait_until_idle(nanoseconds patience);
  net::Task<> stop_workers();
  void reload();

  Config config_;
  OsRandom random_;
  net::SystemTimers timers_;
  Metrics metrics_;
  gateway::SessionLimits limits_;
  std::unique_ptr<AuditTrail> audit_;  // null: none is kept
  std::atomic<gateway::Stage> stage_ = gateway::Stage::Starting;

  net::EventLoop backend_loop_;
  std::vector<std::unique_ptr<net::EventLoop>> loops_;  // the first is that of run()'s thread
  net::EventLoop& first_loop_;
  gateway::Activity activity_;

  std::shared_ptr<const net::TlsContext> key_fetch_tls_;  // shared with the fetches under way
  std::unique_ptr<net::TlsCertificate> certificate_;      // null: plaintext
  std::unique_ptr<auth::JwtVerifier> verifier_;
  std::unique_ptr<auth::PolicyAuthorizer> policy_;  // null: the cluster's RBAC decides
  std::unique_ptr<backend::ManagedBackend> backend_;
  auth::Authorizer* authorizer_ = nullptr;  // the policy or the backend's; set once it is open
  std::optional<gateway::Services> services_;
  std::vector<std::unique_ptr<Worker>> workers_;  // one a loop
  std::unique_ptr<AdminListener> admin_;          // on the first loop; may be null

  // On the first loop.
  net::Event changed_;  // what shut_down() waits for
  bool impatient_ = false;
  std::size_t running_workers_ = 0;
  net::TaskGroup watchers_;
  net::TaskGroup tasks_;
  std::vector<std::jthread> threads_;
};

}  // namespace sluice::sluiced
