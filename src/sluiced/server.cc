#include "sluiced/server.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include <fmt/format.h>

#include "backend/kubernetes/kubernetes_backend.h"
#include "backend/local/local_backend.h"
#include "http/client.h"
#include "net/deadline.h"
#include "net/signals.h"
#include "observe/log.h"
#include "sluiced/version.h"

namespace sluice::sluiced {
namespace {

using gateway::Stage;

/// How long sessions get to say goodbye once they are told to end.
constexpr nanoseconds kFarewell = seconds(5);
constexpr nanoseconds kCertificateCheck = seconds(2);
/// How long the backend may take to know what it serves. A server whose cluster doesn't answer is
/// up all the same: its status says so.
constexpr nanoseconds kStartPatience = seconds(10);

std::vector<std::unique_ptr<net::EventLoop>> make_loops(unsigned count) {
  if (count == 0) count = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::unique_ptr<net::EventLoop>> loops(count);
  for (auto& loop : loops) loop = std::make_unique<net::EventLoop>();
  return loops;
}

std::vector<std::string> own_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

}  // namespace

Server::Server(Config config)
    : config_(std::move(config)),
      limits_(config_.gateway, timers_, metrics_),
      loops_(make_loops(config_.threads)),
      first_loop_(*loops_.front()),
      activity_([this] { first_loop_.post([this] { changed_.notify(); }); }),
      changed_(first_loop_.executor()),
      watchers_(first_loop_.executor()),
      tasks_(first_loop_.executor()) {
  config_.gateway.version = kVersion;
}

Result<std::unique_ptr<Server>> Server::open(Config config, backend::local::ProcessHost& host) {
  std::unique_ptr<Server> server(new Server(std::move(config)));
  if (const auto& tls = server->config_.tls) {
    TRY(server->certificate_, net::TlsCertificate::open(tls->certificate, tls->key));
  }
  if (const auto& audit = server->config_.audit) {
    TRY(server->audit_, AuditTrail::open(audit->file, audit->on_failure));
  }
  TRY_VOID(server->open_auth());
  TRY(std::vector<Listeners> listeners, server->open_listeners());
  std::optional<net::Listener> admin;
  if (const auto& address = server->config_.admin) {
    const net::Executor executor = server->first_loop_.executor();
    TRY(admin, net::Listener::open(executor, *address, net::Listener::Sharing::First));
  }
  TRY_VOID(server->open_backend(host));  // last: from here on it has to be stopped
  server->make_workers(std::move(listeners), std::move(admin));
  return server;
}

Result<> Server::open_auth() {
  const bool fetches = std::ranges::any_of(
      config_.auth.issuers,
      [](const auth::IssuerConfig& issuer) { return issuer.jwks_file.empty(); });
  if (fetches) {
    TRY(key_fetch_tls_, net::TlsContext::for_client({}));
  }
  std::vector<net::EventLoop*> loops;
  for (const auto& loop : loops_) loops.push_back(loop.get());
  const auth::Fetch fetch = [this](std::string url) { return fetch_keys(std::move(url)); };
  TRY(verifier_, auth::make_token_verifier(config_.auth, std::move(loops), timers_, fetch));
  if (config_.policy) {
    TRY(policy_, auth::make_policy_authorizer(*config_.policy));
    authorizer_ = policy_.get();
  }
  return {};
}

/// Each loop gets a listener of its own for each address; the first one's choice of a free port
/// binds the others.
Result<std::vector<Server::Listeners>> Server::open_listeners() {
  std::vector<net::ListenAddress> addresses = config_.listen;
  std::vector<Listeners> all;
  for (const auto& loop : loops_) {
    const auto sharing =
        all.empty() ? net::Listener::Sharing::First : net::Listener::Sharing::Joining;
    Listeners listeners;
    for (net::ListenAddress& address : addresses) {
      TRY(net::Listener listener, net::Listener::open(loop->executor(), address, sharing));
      address = listener.address();
      listeners.push_back(std::move(listener));
    }
    all.push_back(std::move(listeners));
  }
  return all;
}

Result<> Server::open_backend(backend::local::ProcessHost& host) {
  if (const auto* files = std::get_if<LocalBackendFiles>(&config_.backend)) {
    return open_local(*files, host);
  }
  return open_kubernetes(std::get<backend::kubernetes::KubernetesConfig>(config_.backend));
}

Result<> Server::open_local(const LocalBackendFiles& files, backend::local::ProcessHost& host) {
  backend::local::LocalBackendConfig config;
  config.workloads_file = files.workloads;
  config.state_dir = files.state_dir;
  config.environment = own_environment();
  config.metrics = &metrics_;
  TRY(backend_, backend::local::LocalBackend::start(std::move(config), backend_loop_, host, timers_,
                                                    random_));
  return {};
}

Result<> Server::open_kubernetes(const backend::kubernetes::KubernetesConfig& config) {
  using backend::kubernetes::KubernetesBackend;
  std::vector<net::EventLoop*> loops;
  for (const auto& loop : loops_) loops.push_back(loop.get());
  TRY(std::unique_ptr<KubernetesBackend> opened,
      KubernetesBackend::start(config, backend_loop_, std::move(loops), timers_, random_));
  if (authorizer_ == nullptr) authorizer_ = &opened->authorizer();
  backend_ = std::move(opened);
  return {};
}

void Server::make_workers(std::vector<Listeners> listeners, std::optional<net::Listener> admin) {
  services_.emplace(gateway::Services{config_.gateway, *verifier_, *authorizer_, *backend_, timers_,
                                      random_, metrics_, limits_, activity_, stage_, audit_.get()});
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    workers_.push_back(std::make_unique<Worker>(*loops_[i], *services_, certificate_.get(),
                                                std::move(listeners[i])));
  }
  if (admin) admin_ = std::make_unique<AdminListener>(first_loop_, *services_, *std::move(admin));
}

void Server::run() {
  verifier_->start();
  for (const auto& worker : workers_) worker->start();
  if (admin_) admin_->start();
  if (certificate_) watchers_.spawn("watch certificate", watch_certificate());
  tasks_.spawn("supervise", supervise());
  watchers_.spawn("start", await_backend());
  threads_.emplace_back([this] { backend_loop_.run(); });
  for (std::size_t i = 1; i < loops_.size(); ++i) {
    threads_.emplace_back([loop = loops_[i].get()] { loop->run(); });
  }
  first_loop_.run();
  threads_.clear();
}

net::Task<> Server::await_backend() {
  const MonotonicTime until = timers_.now() + kStartPatience;
  const Result<> ready = co_await net::before(until, timers_, backend_->ready());
  if (!ready && ready.error().code == ErrorCode::Cancelled) co_return;
  if (!ready) log(LogLevel::Warning, "serving before everything is known of the cluster");
  Stage starting = Stage::Starting;  // unless a signal came first
  if (stage_.compare_exchange_strong(starting, Stage::Ready)) announce();
}

void Server::announce() const {
  for (const net::Listener& listener : workers_.front()->listeners()) {
    fmt::print(stderr, "listening on {}://{}\n", certificate_ ? "https" : "http",
               listener.address().to_string());
  }
  if (admin_) fmt::print(stderr, "admin on http://{}\n", admin_->address().to_string());
}

/// One fetch of an issuer's keys, for the verifier.
net::Task<Result<std::string>> Server::fetch_keys(std::string url) {
  http::ClientOptions options;
  options.tls = key_fetch_tls_;
  constexpr unsigned kOk = 200;
  Result<http::Response> response = co_await http::get(std::move(url), std::move(options), timers_);
  const bool succeeded = response && response->head.status == kOk;
  metrics_.keys_fetched(succeeded ? FetchOutcome::Succeeded : FetchOutcome::Failed);
  if (!response) co_return fail(std::move(response).error());
  if (!succeeded) {
    co_return fail(ErrorCode::Unavailable,
                   fmt::format("answered with status {}", response->head.status));
  }
  co_return std::move(response->body);
}

net::Task<> Server::supervise() {
  net::SignalReader signals(first_loop_.executor(), {SIGTERM, SIGINT, SIGHUP});
  while (true) {
    const Result<int> signal = co_await signals.next();
    if (!signal) co_return;
    if (*signal == SIGHUP) {
      reload();
    } else if (stage_ == Stage::Draining) {
      impatient_ = true;
      changed_.notify();
    } else {
      stage_ = Stage::Draining;
      tasks_.spawn("shut down", shut_down());
    }
  }
}

net::Task<> Server::watch_certificate() {
  while (true) {
    const Result<> passed = co_await timers_.sleep_for(kCertificateCheck);
    if (!passed) co_return;
    certificate_->reload_if_changed();
  }
}

/// What can change while sessions run. Anything else of the configuration takes a restart.
void Server::reload() {
  log(LogLevel::Debug, "reloading", {{"config", config_.file}});
  backend_->reload();
  if (certificate_) certificate_->reload_if_changed();
  const Result<Config> fresh = read_config(config_.file);
  if (!fresh) {
    log(LogLevel::Error, "configuration not reloaded", fresh.error());
    return;
  }
  if (!policy_ || !fresh->policy) return;
  Result<auth::Policy> policy = auth::Policy::from(*fresh->policy);
  if (!policy) {
    log(LogLevel::Error, "policy not reloaded", policy.error());
    return;
  }
  policy_->replace(*std::move(policy));
}

net::Task<> Server::shut_down() {
  log(LogLevel::Info, "shutting down", {{"sessions", limits_.running()}});
  activity_.watch();
  co_await wait_until_idle(config_.gateway.shutdown_grace);
  for (const auto& worker : workers_) {
    worker->loop().post([worker = worker.get()] { worker->interrupt_sessions(); });
  }
  impatient_ = false;
  co_await wait_until_idle(kFarewell);
  co_await stop_workers();
  if (admin_) {
    co_await admin_->stop();
  }
  co_await backend_->stop();
  co_await verifier_->stop();
  watchers_.cancel();
  co_await watchers_.join();
  log(LogLevel::Info, "shut down");
  tasks_.cancel();  // what waits for signals
  for (const auto& loop : loops_) loop->stop();
  backend_loop_.stop();
}

net::Task<> Server::wait_until_idle(nanoseconds patience) {
  bool expired = false;
  net::Deadline deadline(first_loop_.executor(), timers_, timers_.now() + patience, [&] {
    expired = true;
    changed_.notify();
  });
  while (!activity_.is_idle() && !expired && !impatient_) {
    const Result<> woken = co_await changed_.wait();
    if (!woken) break;
  }
  co_await deadline.end();
}

net::Task<> Server::stop_workers() {
  running_workers_ = workers_.size();
  const auto stopped = [this] {
    first_loop_.post([this] {
      --running_workers_;
      changed_.notify();
    });
  };
  for (const auto& worker : workers_) {
    worker->loop().post([worker = worker.get(), stopped] { worker->stop(stopped); });
  }
  while (running_workers_ > 0) {
    const Result<> woken = co_await changed_.wait();
    if (!woken) break;
  }
}

}  // namespace sluice::sluiced
