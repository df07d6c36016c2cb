#include "backend/kubernetes/configured_access.h"

#include <fmt/format.h>

#include "backend/kubernetes/kubeconfig.h"
#include "base/bytes.h"
#include "base/file.h"
#include "observe/log.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr std::size_t kMaxKubeconfigBytes = 4_MiB;

}  // namespace

Result<std::unique_ptr<ConfiguredAccess>> ConfiguredAccess::open(ClusterConfig config,
                                                                 net::Timers& timers) {
  std::unique_ptr<ConfiguredAccess> access(new ConfiguredAccess(std::move(config)));
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

void ConfiguredAccess::refused() {
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
