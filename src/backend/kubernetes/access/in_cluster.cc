#include "backend/kubernetes/access/in_cluster.h"

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::backend::kubernetes {

Result<ClusterConfig> in_cluster_config(const std::string& service_host,
                                        const std::string& service_port) {
  const auto port = parse_int64(service_port);
  if (service_host.empty() || !port || *port < 1 || *port > 65535) {
    return fail(ErrorCode::InvalidArgument,
                "this is no pod of a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT "
                "are not set; name a kubeconfig instead");
  }
  const bool is_v6 = service_host.contains(':');
  ClusterConfig config;
  config.servers = {
      fmt::format("https://{}:{}", is_v6 ? "[" + service_host + "]" : service_host, *port)};
  config.authorities.file = std::string(kServiceAccountFolder) + "/ca.crt";
  config.token_file = std::string(kServiceAccountFolder) + "/token";
  return config;
}

}  // namespace sluice::backend::kubernetes
