#include "backend/kubernetes/open_cluster_access.h"

#include "backend/kubernetes/access/configured_access.h"
#include "backend/kubernetes/access/in_cluster.h"

namespace sluice::backend::kubernetes {
namespace {

Result<ClusterConfig> read_config(const KubernetesConfig& config) {
  if (!config.kubeconfigs.empty()) return read_kubeconfig(config.kubeconfigs, config.context);
  return in_cluster_config(config.service_host, config.service_port);
}

}  // namespace

Result<std::unique_ptr<ClusterAccess>> open_cluster_access(const KubernetesConfig& config,
                                                           net::Timers& timers) {
  TRY(ClusterConfig cluster, read_config(config));
  cluster.kubelets = config.kubelets;
  return ConfiguredAccess::open(std::move(cluster), timers);
}

}  // namespace sluice::backend::kubernetes
