#include "backend/kubernetes/access/configured_access.h"

#include <fmt/format.h>

#include "backend/kubernetes/access/kubeconfig.h"
#include "base/bytes.h"
#include "base/file.h"
#include "net/deadline.h"
#include "net/listener.h"
#include "net/tls_stream.h"
#include "observe/log.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr std::size_t kMaxKubeconfigBytes = 4_MiB;
/// How long a kubelet may take to answer, TLS included: nodes go without a word.
constexpr nanoseconds kNodePatience = seconds(3);

ClusterConfig config_for_nodes(ClusterConfig config) {
  config.insecure_skip_tls_verify = false;
  if (!config.kubelets.authorities_file.empty()) {
    config.authorities = {.text = {}, .file = config.kubelets.authorities_file};
  }
  return config;
}

}  // namespace

ConfiguredAccess::ConfiguredAccess(ClusterConfig config, net::Timers& timers)
    : config_(std::move(config)),
      node_config_(config_for_nodes(config_)),
      timers_(timers),
      tls_(config_),
      node_tls_(node_config_) {}

Result<std::unique_ptr<ConfiguredAccess>> ConfiguredAccess::open(ClusterConfig config,
                                                                 net::Timers& timers) {
  std::unique_ptr<ConfiguredAccess> access(new ConfiguredAccess(std::move(config), timers));
  const ClusterConfig& chosen = access->config_;
  TRY(access->endpoints_, ApiEndpoints::from(chosen, timers));
  if (access->endpoints_->any_secure() && !chosen.exec) TRY_VOID(access->tls_.current({}));
  if (!chosen.token_file.empty()) {
    access->token_file_ = std::make_unique<TokenFile>(chosen.token_file, timers);
    TRY_VOID(access->token_file_->read());
  }
  if (chosen.exec) {
    TRY(const std::string authorities, access->tls_.authorities());
    access->exec_ = std::make_unique<ExecCredentials>(
        *chosen.exec, exec_info(*chosen.exec, chosen, authorities), timers);
  }
  if (chosen.insecure_skip_tls_verify) {
    log(LogLevel::Warning, "the API server's certificate is not checked",
        {{"server", chosen.servers.front()}});
  }
  return access;
}

net::Task<Result<ApiConnection>> ConfiguredAccess::connect() {
  ExecCredential credential;
  if (exec_) {
    CO_TRY(credential, co_await exec_->get());
  }
  std::shared_ptr<const net::TlsContext> tls;
  if (endpoints_->any_secure()) {
    CO_TRY(tls, tls_.current(credential));
  }
  co_return co_await endpoints_->connect(std::move(tls));
}

net::Task<Result<ApiConnection>> ConfiguredAccess::connect_node(std::string address) {
  ExecCredential credential;
  if (exec_) {
    CO_TRY(credential, co_await exec_->get());
  }
  CO_TRY(const auto tls, node_tls_.current(credential));
  const std::uint16_t port = config_.kubelets.port;
  auto connecting = net::connect_tcp(address, port);
  CO_TRY(std::unique_ptr<net::TcpStream> tcp,
         co_await net::before(timers_.now() + kNodePatience, timers_, std::move(connecting)));
  ApiConnection connection;
  connection.authority = net::ListenAddress{address, port}.to_string();
  CO_TRY(connection.stream, co_await net::connect_tls(std::move(tcp), tls, std::move(address),
                                                      timers_, kNodePatience));
  co_return connection;
}

net::Task<Result<std::optional<std::string>>> ConfiguredAccess::authorization() {
  std::string token = config_.token;
  if (token_file_) {
    CO_TRY(token, token_file_->read());
  }
  if (exec_) {
    CO_TRY(ExecCredential credential, co_await exec_->get());
    token = std::move(credential.token);
  }
  if (token.empty()) co_return std::nullopt;
  co_return "Bearer " + token;
}

void ConfiguredAccess::renew_credentials() {
  if (token_file_) token_file_->forget();
  if (exec_) exec_->forget();
}

Result<ClusterConfig> read_kubeconfig(const std::vector<std::string>& paths,
                                      std::string_view context) {
  std::vector<KubeconfigFile> files;
  std::string names;
  for (const std::string& path : paths) {
    names += (names.empty() ? "" : ", ") + path;
    Result<std::string> text = read_file(path, kMaxKubeconfigBytes);
    if (text) {
      files.push_back({path, *std::move(text)});
    } else if (text.error().code != ErrorCode::NotFound) {
      return fail(text.error().code, path + ": cannot be read: " + text.error().message);
    }
  }
  if (files.empty()) {
    return fail(ErrorCode::InvalidArgument, fmt::format("no kubeconfig: {} does not exist", names));
  }
  return parse_kubeconfig(files, context);
}

}  // namespace sluice::backend::kubernetes
