// ConfiguredAccess: the ClusterAccess that a ClusterConfig describes, be it a kubeconfig's or a
// pod's own. Tokens, certificates and plugin credentials are kept fresh while it is used.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "backend/kubernetes/access/api_endpoints.h"
#include "backend/kubernetes/access/cluster_access.h"
#include "backend/kubernetes/access/cluster_config.h"
#include "backend/kubernetes/access/cluster_tls.h"
#include "backend/kubernetes/access/exec_credentials.h"
#include "backend/kubernetes/access/token_file.h"

namespace sluice::backend::kubernetes {

class ConfiguredAccess final : public ClusterAccess {
 public:
  /// Reads the files that the configuration names, and warns where it trusts any server. Errors:
  /// InvalidArgument (URLs), Unavailable (files). `timers` outlives it.
  static Result<std::unique_ptr<ConfiguredAccess>> open(ClusterConfig config, net::Timers& timers);

  net::Task<Result<ApiConnection>> connect() override;
  net::Task<Result<ApiConnection>> connect_node(std::string address) override;
  net::Task<Result<std::optional<std::string>>> authorization() override;
  void renew_credentials() override;

 private:
  ConfiguredAccess(ClusterConfig config, net::Timers& timers);

  const ClusterConfig config_;
  const ClusterConfig node_config_;  // as we are known to kubelets, and whom we trust there
  net::Timers& timers_;
  ClusterTls tls_;
  ClusterTls node_tls_;
  std::unique_ptr<ApiEndpoints> endpoints_;
  std::unique_ptr<TokenFile> token_file_;  // at most one of these two
  std::unique_ptr<ExecCredentials> exec_;
};

/// Reads the files and parses them as one kubeconfig; files that don't exist are passed over.
/// Errors: InvalidArgument, Unavailable.
Result<ClusterConfig> read_kubeconfig(const std::vector<std::string>& paths,
                                      std::string_view context);

}  // namespace sluice::backend::kubernetes
