// ExecCredential: what a credential plugin is told and what it prints (client.authentication.k8s.io
// v1 and v1beta1). No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "backend/kubernetes/access/cluster_config.h"
#include "base/clock.h"
#include "base/result.h"

namespace sluice::backend::kubernetes {

struct ExecCredential {
  std::string token;            // empty: the certificate says it all
  std::string certificate_pem;  // with its key, or both empty
  std::string key_pem;
  std::optional<WallTime> expires;  // nullopt: good until it is refused
  bool operator==(const ExecCredential&) const = default;
};

/// The value of KUBERNETES_EXEC_INFO for the plugin of this cluster. `authorities_pem` is what its
/// authorities' text or file holds.
std::string exec_info(const ExecPlugin& plugin, const ClusterConfig& cluster,
                      std::string_view authorities_pem);

/// What the plugin printed. Errors: InvalidArgument, saying what is wrong with it.
Result<ExecCredential> parse_exec_credential(std::string_view text, std::string_view api_version);

}  // namespace sluice::backend::kubernetes
