// What an operator says about a cluster (the section backend.kubernetes of the configuration),
// already typed.
#pragma once

#include <string>
#include <vector>

#include "backend/kubernetes/access/cluster_config.h"
#include "base/clock.h"

namespace sluice::backend::kubernetes {

/// As whom the API server sees what a caller asks for.
enum class ActingAs {
  Caller,   // impersonation: the cluster's own RBAC and audit decide and record
  Gateway,  // ourselves, after a SubjectAccessReview for the caller
};

/// Where logs are read from.
enum class LogSource {
  Api,           // the API server's pods/log
  KubeletFiles,  // the kubelets' log files; the API server where a kubelet refuses
};

struct KubernetesConfig {
  /// The usual one. Load balancers cut what is silent for a minute or less.
  static constexpr nanoseconds kPingInterval = seconds(20);

  std::vector<std::string> kubeconfigs;  // files, merged; empty: the service account of our pod,
  std::string service_host;              // with its KUBERNETES_SERVICE_HOST
  std::string service_port;              // and KUBERNETES_SERVICE_PORT
  std::string context;                   // of the kubeconfig; empty: the current one
  std::string mapping = "runai";         // a preset's name, or a file's path
  ActingAs acting_as = ActingAs::Caller;
  LogSource logs = LogSource::Api;
  nanoseconds ping_interval = kPingInterval;  // on a session's stream
  KubeletConfig kubelets;
};

}  // namespace sluice::backend::kubernetes
