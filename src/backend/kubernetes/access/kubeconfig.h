// Kubeconfig files, as kubectl reads them (client-go tools/clientcmd): several merged into one, a
// context chosen, and what it says brought into one value. No I/O.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "backend/kubernetes/access/cluster_config.h"
#include "base/result.h"

namespace sluice::backend::kubernetes {

struct KubeconfigFile {
  std::string path;  // for messages, and for what the file says of other files
  std::string text;
};

/// The first file that names a cluster, user, context or the current context wins. `context`
/// chooses; empty: the current one. Fields that are not about access are not looked at.
/// Errors: InvalidArgument, naming the file, the line, and what would be right.
Result<ClusterConfig> parse_kubeconfig(std::span<const KubeconfigFile> files,
                                       std::string_view context);

/// The files of a list as $KUBECONFIG has it ("a:b"), without empty entries.
std::vector<std::string> split_kubeconfig_list(std::string_view list);

}  // namespace sluice::backend::kubernetes
