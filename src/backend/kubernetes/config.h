// What an operator says about a cluster (the section backend.kubernetes of the configuration),
// already typed.
#pragma once

#include <string>
#include <vector>

#include "backend/kubernetes/access/cluster_config.h"
#include "backend/kubernetes/api/impersonation.h"
#include "backend/kubernetes/logs/log_sources.h"
#include "backend/kubernetes/streams/upstream.h"

namespace sluice::backend::kubernetes {

struct KubernetesConfig {
  std::vector<std::string> kubeconfigs;  // files, merged; empty: the service account of our pod,
  std::string service_host;              // with its KUBERNETES_SERVICE_HOST
  std::string service_port;              // and KUBERNETES_SERVICE_PORT
  std::string context;                   // of the kubeconfig; empty: the current one
  std::string mapping = "runai";         // a preset's name, or a file's path
  ActingAs acting_as = ActingAs::Caller;
  LogSource logs = LogSource::Api;
  nanoseconds ping_interval = Upstream::kPingInterval;  // on a session's stream
  KubeletConfig kubelets;
};

}  // namespace sluice::backend::kubernetes
