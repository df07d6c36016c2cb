// Any text as a kubeconfig, alone and behind a sound one: no crash, and what is taken names a
// server.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "backend/kubernetes/kubeconfig.h"

using sluice::backend::kubernetes::KubeconfigFile;
using sluice::backend::kubernetes::parse_kubeconfig;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::array files = {
      KubeconfigFile{"/a/config",
                     "current-context: c\ncontexts: [{name: c, context: {cluster: c, "
                     "user: u}}]\n"},
      KubeconfigFile{"/b/config", text}};
  const auto alone = parse_kubeconfig(std::span(files).last(1), "");
  const auto both = parse_kubeconfig(files, "");
  if (alone && alone->servers.empty()) std::abort();
  if (both && both->servers.empty()) std::abort();
  return 0;
}
