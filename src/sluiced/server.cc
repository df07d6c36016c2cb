#include "sluiced/server.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include <fmt/format.h>

#include "backend/kubernetes/kubernetes_backend.h"
#include "backend/local/local_backend.h"
#include "http/client.h"
#include "http/status.h"
#include "net/deadline.h"
#include "net/exec_arguments.h"
#include "net/signals.h"
#include "observe/log.h"
#include "recording/recording_folder.h"
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
/// How long a restart waits for the first request of who has connected: the others wait meanwhile.
constexpr nanoseconds kNewcomerPatience = seconds(2);
/// How long the server that this one hands over to may take to its start.
constexpr nanoseconds kHandOverPatience = seconds(60);

/// How many connections leave files to open for the rest: the admin listener, the server's own
/// files, and what sessions need besides.
std::size_t affordable_connections() {
  constexpr rlim_t kLeastReserve = 64;
  constexpr rlim_t kReservePart = 256;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kLeastReserve;
  const rlim_t reserve = std::max(kLeastReserve, limit.rlim_cur / kReservePart);
  return limit.rlim_cur > reserve ? limit.rlim_cur - reserve : 1;
}

std::vector<std::unique_ptr<net::EventLoop>> make_loops(unsigned count) {
  if (count == 0) count = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::unique_ptr<net::EventLoop>> loops(count);
  for (auto& loop : loops) loop = std::make_unique<net::EventLoop>();
  return loops;
}

}  // namespace

Server::Server(Config config, std::string program, Inheritance inheritance)
    : config_(std::move(config)),
      program_(std::move(program)),
      inheritance_(std::move(inheritance)),
      limits_(config_.gateway, timers_, metrics_),
      connections_(config_.max_connections.value_or(affordable_connections()), metrics_),
      loops_(make_loops(config_.threads)),
      first_loop_(*loops_.front()),
      idle_wait_(first_loop_, timers_),
      workers_(first_loop_),
      handing_over_(first_loop_.executor()),
      watchers_(first_loop_.executor()),
      tasks_(first_loop_.executor()) {
  config_.gateway.version = kVersion;
}

Result<std::unique_ptr<Server>> Server::open(Config config, std::string program,
                                             Inheritance inheritance,
                                             backend::local::ProcessHost& host) {
  std::unique_ptr<Server> server(
      new Server(std::move(config), std::move(program), std::move(inheritance)));
  if (const auto& tls = server->config_.tls) {
    TRY(server->certificate_, net::TlsCertificate::open(tls->certificate, tls->key));
  }
  if (const auto& audit = server->config_.audit) {
    TRY(server->audit_, AuditTrail::open(audit->file, audit->on_failure, server->timers_));
  }
  TRY_VOID(server->open_recordings());
  TRY_VOID(server->open_auth());
  TRY(ServerSockets sockets, open_sockets(server->config_, server->inheritance_, server->loops()));
  TRY_VOID(server->open_backend(host));  // last: from here on it has to be stopped
  server->make_workers(std::move(sockets));
  return server;
}

Result<> Server::open_recordings() {
  if (!config_.recording) return {};
  TRY(auth::Policy rules, auth::Policy::from(config_.recording->rules));
  TRY(auto folder, recording::RecordingFolder::open(config_.recording->folder));
  auto recorder = std::make_unique<recording::Recorder>(std::move(folder),
                                                        config_.recording->options, metrics_);
  recordings_.emplace(std::move(rules), std::move(recorder));
  return {};
}

Result<> Server::open_auth() {
  const bool fetches = std::ranges::any_of(
      config_.auth.issuers,
      [](const auth::IssuerConfig& issuer) { return issuer.jwks_file.empty(); });
  if (fetches) {
    TRY(key_fetch_tls_, net::TlsContext::for_client({}));
  }
  const auth::Fetch fetch = [this](std::string url) { return fetch_keys(std::move(url)); };
  TRY(verifier_, auth::make_token_verifier(config_.auth, loops(), timers_, fetch));
  if (config_.policy) {
    TRY(policy_, auth::make_policy_authorizer(*config_.policy));
    authorizer_ = policy_.get();
  }
  return {};
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
  config.environment = net::own_environment();
  config.metrics = &metrics_;
  TRY(backend_, backend::local::LocalBackend::start(std::move(config), backend_loop_, loops(), host,
                                                    timers_, random_));
  return {};
}

Result<> Server::open_kubernetes(const backend::kubernetes::KubernetesConfig& config) {
  using backend::kubernetes::KubernetesBackend;
  TRY(std::unique_ptr<KubernetesBackend> opened,
      KubernetesBackend::start(config, backend_loop_, loops(), timers_, random_));
  if (authorizer_ == nullptr) authorizer_ = &opened->authorizer();
  backend_ = std::move(opened);
  return {};
}

std::vector<net::EventLoop*> Server::loops() const {
  std::vector<net::EventLoop*> all;
  for (const auto& loop : loops_) all.push_back(loop.get());
  return all;
}

void Server::make_workers(ServerSockets sockets) {
  addresses_ = std::move(sockets.addresses);
  services_.emplace(gateway::Services{config_.gateway, *verifier_, *authorizer_, *backend_, timers_,
                                      random_, metrics_, limits_, idle_wait_.activity(), stage_,
                                      audit_.get(), recordings_ ? &*recordings_ : nullptr});
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    workers_.add(std::make_unique<Worker>(*loops_[i], *services_, connections_, certificate_.get(),
                                          std::move(sockets.clients[i])));
  }
  if (sockets.admin) {
    admin_ = std::make_unique<AdminListener>(first_loop_, *services_, *std::move(sockets.admin));
  }
}

void Server::run() {
  verifier_->start();
  // Clients of inherited sockets can wait until there is an answer for them.
  if (!inheritance_.has_sockets()) start_accepting();
  if (inheritance_.predecessor) {
    predecessor_.emplace(first_loop_.executor(), std::move(inheritance_.predecessor));
  }
  if (certificate_) watchers_.spawn("watch certificate", watch_certificate());
  tasks_.spawn("supervise", supervise());
  watchers_.spawn("start", come_into_service());
  threads_.emplace_back([this] { backend_loop_.run(); });
  for (std::size_t i = 1; i < loops_.size(); ++i) {
    threads_.emplace_back([loop = loops_[i].get()] { loop->run(); });
  }
  first_loop_.run();
  threads_.clear();
}

net::Task<> Server::come_into_service() {
  const bool follows = predecessor_.has_value();
  const Result<> ready = co_await await_backend();
  if (!ready && ready.error().code == ErrorCode::Cancelled) co_return;
  if (!ready && follows) {
    log(LogLevel::Error, "not taking over: the cluster doesn't answer", ready.error());
    co_return begin_shutdown();
  }
  if (!ready) log(LogLevel::Warning, "serving before everything is known of the cluster");
  if (follows) {
    const Result<> taken = co_await predecessor_->take_over();
    if (!taken) {
      log(LogLevel::Error, "not taking over", taken.error());
      co_return begin_shutdown();
    }
    predecessor_.reset();
  }
  Stage starting = Stage::Starting;  // unless a signal came first
  if (!stage_.compare_exchange_strong(starting, Stage::Ready)) co_return;
  if (inheritance_.has_sockets()) start_accepting();
  announce();
  if (!follows) notifier_.tell("READY=1");  // else the predecessor says whose turn it is
}

net::Task<Result<>> Server::await_backend() {
  const MonotonicTime until = timers_.now() + kStartPatience;
  co_return co_await net::before(until, timers_, backend_->ready());
}

void Server::start_accepting() {
  workers_.start();
  if (admin_) admin_->start();
}

void Server::announce() const {
  for (const net::ListenAddress& address : addresses_) {
    fmt::print(stderr, "listening on {}://{}\n", certificate_ ? "https" : "http",
               address.to_string());
  }
  if (!admin_) return;
  fmt::print(stderr, "admin on http://{}\n", admin_->listener().address().to_string());
}

/// One fetch of an issuer's keys, for the verifier.
net::Task<Result<std::string>> Server::fetch_keys(std::string url) {
  http::ClientOptions options;
  options.tls = key_fetch_tls_;
  Result<http::Response> response = co_await http::get(std::move(url), std::move(options), timers_);
  const bool succeeded = response && response->head.status == http::status::kOk;
  metrics_.keys_fetched(succeeded ? FetchOutcome::Succeeded : FetchOutcome::Failed);
  if (!response) co_return fail(std::move(response).error());
  if (!succeeded) {
    co_return fail(ErrorCode::Unavailable,
                   fmt::format("answered with status {}", response->head.status));
  }
  co_return std::move(response->body);
}

net::Task<> Server::supervise() {
  net::SignalReader signals(first_loop_.executor(), {SIGTERM, SIGINT, SIGHUP, SIGUSR2});
  while (true) {
    const Result<int> signal = co_await signals.next();
    if (!signal) co_return;
    if (*signal == SIGHUP) {
      reload();
    } else if (*signal == SIGUSR2) {
      begin_hand_over();
    } else if (gateway::is_ending(stage_)) {
      idle_wait_.hurry();
    } else {
      begin_shutdown();
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

void Server::begin_hand_over() {
  std::string_view reason;
  if (std::holds_alternative<LocalBackendFiles>(config_.backend)) {
    reason = "the workloads of the local backend are this process's own; restart it instead";
  } else if (::getpid() == 1) {
    reason = "this is process 1 of a container, which ends with it; replace the container instead";
  } else if (stage_ != Stage::Ready) {
    reason = "this server is starting or ending";
  } else if (handing_over_.size() > 0) {
    reason = "it is being handed over already";
  } else {
    return handing_over_.spawn("hand over", hand_over());
  }
  log(LogLevel::Warning, "not handed over", {{"reason", reason}});
}

net::Task<> Server::hand_over() {
  log(LogLevel::Info, "handing over", {{"program", program_}});
  const SuccessorStart start = successor_start();
  const Result<std::unique_ptr<Successor>> successor =
      Successor::start(first_loop_.executor(), start);
  Result<pid_t> pid = fail(cancelled());
  if (successor) {
    const MonotonicTime until = timers_.now() + kHandOverPatience;
    pid = co_await net::before(until, timers_, (*successor)->ready());
  }
  if (!pid) {
    log(LogLevel::Error, "not handed over; this server goes on serving",
        successor ? pid.error() : successor.error());
    co_return;
  }
  Stage ready = Stage::Ready;
  if (!stage_.compare_exchange_strong(ready, Stage::Retiring)) co_return;  // a signal came first
  handed_over_ = true;
  co_await stop_accepting();
  (*successor)->let_serve();
  notifier_.tell(fmt::format("MAINPID={}", *pid));
  log(LogLevel::Info, "handed over", {{"pid", *pid}, {"sessions", limits_.running()}});
  tasks_.spawn("retire", retire());
}

SuccessorStart Server::successor_start() {
  SuccessorStart start;
  start.program = program_;
  start.arguments = {"--config", config_.file};
  start.held = inheritance_.is_held();
  for (const int socket : workers_.sockets()) start.sockets.push_back({socket, kClientSocket});
  if (admin_) start.sockets.push_back({admin_->listener().fd(), kAdminSocket});
  return start;
}

net::Task<> Server::retire() {
  const WaitEnd end = co_await idle_wait_.wait(config_.gateway.upgrade_grace, Newcomers::Awaited);
  const bool was_asked = end == WaitEnd::Hurried;
  const nanoseconds grace = was_asked ? config_.gateway.shutdown_grace : nanoseconds(0);
  stage_ = Stage::Draining;
  co_await shut_down(grace);
}

void Server::begin_shutdown() {
  if (stage_.exchange(Stage::Draining) == Stage::Draining) return;
  notifier_.tell("STOPPING=1");
  tasks_.spawn("shut down", shut_down(config_.gateway.shutdown_grace));
}

net::Task<> Server::shut_down(nanoseconds grace) {
  log(LogLevel::Info, "shutting down", {{"sessions", limits_.running()}});
  handing_over_.cancel();
  co_await handing_over_.join();
  if (inheritance_.is_held() && !handed_over_) {
    const WaitEnd end = co_await leave_the_rest_to_the_next();
    if (end == WaitEnd::Hurried) grace = nanoseconds(0);
  }
  co_await idle_wait_.wait(grace);
  workers_.interrupt_sessions();
  co_await idle_wait_.wait(kFarewell);
  co_await workers_.stop();
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

/// Who comes now waits in the socket; who is here is owed an answer.
net::Task<WaitEnd> Server::leave_the_rest_to_the_next() {
  co_await stop_accepting();
  co_return co_await idle_wait_.wait(kNewcomerPatience, Newcomers::Awaited);
}

net::Task<> Server::stop_accepting() {
  if (admin_) {
    co_await admin_->stop_accepting();
  }
  co_await workers_.stop_accepting();
}

}  // namespace sluice::sluiced
