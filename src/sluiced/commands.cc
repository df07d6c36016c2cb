#include "sluiced/commands.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "auth/development_issuer.h"
#include "backend/kubernetes/kubernetes_backend.h"
#include "backend/local/cgroup.h"
#include "backend/local/local_backend.h"
#include "backend/local/process_host.h"
#include "base/text.h"
#include "net/signals.h"
#include "observe/log.h"
#include "sluiced/server.h"

namespace sluice::sluiced {
namespace {

int refuse(const Error& error) {
  fmt::print(stderr, "{}\n", error.message);
  if (!error.cause.empty()) fmt::print(stderr, "  {}\n", error.cause);
  return kBadConfig;
}

/// A session needs a descriptor or two; the usual soft limit of 1024 is for programs that use
/// select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    fmt::print(stderr, "the limit of open files stays as it is\n");
  }
}

Result<> check_files(const Config& config) {
  TRY_VOID(check_named_files(config));
  TRY_VOID(auth::check(config.auth));
  if (config.tls) TRY_VOID(net::TlsCertificate::open(config.tls->certificate, config.tls->key));
  if (const auto* files = std::get_if<LocalBackendFiles>(&config.backend)) {
    return backend::local::LocalBackend::check(files->workloads);
  }
  using backend::kubernetes::KubernetesConfig;
  net::SystemTimers timers;
  return backend::kubernetes::KubernetesBackend::check(std::get<KubernetesConfig>(config.backend),
                                                       timers);
}

Result<std::string> make_token(const TokenRequest& request) {
  TRY(const Config config, read_config(request.config_file));
  if (!config.auth.development.enabled) {
    return fail(ErrorCode::InvalidArgument,
                config.file + ": auth.development is not enabled; only its tokens are made here");
  }
  if (request.user.empty()) return fail(ErrorCode::InvalidArgument, "--user: expected a name");
  if (std::ranges::count(request.groups, "") > 0) {
    return fail(ErrorCode::InvalidArgument, "--group: expected a name");
  }
  const auto ttl = parse_duration(request.ttl);
  if (!ttl || *ttl <= nanoseconds(0) || *ttl > kLongestDuration) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("--ttl: expected a duration such as 1h, at most {}, got \"{}\"",
                            format_duration(kLongestDuration), request.ttl));
  }
  TRY(const auto issuer, auth::DevelopmentIssuer::open(config.auth.development.state_dir));
  const WallTime now = net::SystemTimers().wall_now();
  OsRandom random;
  const auth::Caller caller{request.user, request.groups, now + *ttl};
  return issuer.sign(caller, now, random);
}

/// What to start when this program was replaced: by the path that it was called by, which may be a
/// link that leads elsewhere by then; else by its file's.
std::string installed_program(const std::string& called_as) {
  if (called_as.contains('/')) return called_as;
  std::error_code error;
  const std::string path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  return error ? called_as : path;
}

}  // namespace

int serve(const std::string& called_as, const std::string& config_file) {
  Result<Inheritance> inheritance = Inheritance::take();
  if (!inheritance) return refuse(inheritance.error());
  if (inheritance->predecessor) {
    const Result<> left = leave_parent();
    if (!left) return refuse(left.error());
  }
  Result<Config> config = read_config(config_file);
  if (!config) return refuse(config.error());
  if (const auto files = check_named_files(*config); !files) return refuse(files.error());
  Result<backend::local::Cgroup> cgroup = backend::local::make_server_cgroup();
  const std::optional<Error> no_cgroup =
      cgroup ? std::nullopt : std::optional<Error>(cgroup.error());
  // Forked first: it must inherit no thread, no raised limit and no blocked signal.
  Result<backend::local::ProcessHost> host =
      backend::local::ProcessHost::start(cgroup ? *std::move(cgroup) : backend::local::Cgroup());
  if (!host) return refuse(host.error());
  raise_descriptor_limit();
  // Whoever reads our output, or a process's input, may go: that ends no server.
  std::signal(SIGPIPE, SIG_IGN);
  net::block_signals({SIGTERM, SIGINT, SIGHUP, SIGUSR2});
  start_logging(config->log_level, config->log_format);
  if (no_cgroup) log(LogLevel::Warning, "process trees are ended without cgroups", *no_cgroup);
  int result = kSuccess;
  {
    const std::vector<NamedFile> named_files = config->named_files;
    Result<std::unique_ptr<Server>> server = Server::open(
        *std::move(config), installed_program(called_as), *std::move(inheritance), *host);
    if (server) {
      (*server)->run();
    } else {
      result = refuse(at_key(named_files, server.error()));
    }
  }
  stop_logging();
  return result;
}

int check(const std::string& config_file) {
  const Result<Config> config = read_config(config_file);
  if (!config) return refuse(config.error());
  const Result<> files = check_files(*config);
  if (!files) return refuse(at_key(config->named_files, files.error()));
  fmt::print("{}: in order\n", config_file);
  return kSuccess;
}

int mint_token(const TokenRequest& request) {
  const Result<std::string> token = make_token(request);
  if (!token) return refuse(token.error());
  fmt::print("{}\n", *token);
  return kSuccess;
}

}  // namespace sluice::sluiced
