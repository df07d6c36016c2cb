// ClusterConfig: how to reach a cluster and who we are there, as a kubeconfig or a pod's service
// account says it. A value; nothing is opened or read yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::backend::kubernetes {

/// Text that is given itself, or by the file that holds it (which others may renew).
struct TextOrFile {
  std::string text;
  std::string file;  // only when `text` is empty
  bool empty() const { return text.empty() && file.empty(); }
  bool operator==(const TextOrFile&) const = default;
};

/// A program that prints credentials (client.authentication.k8s.io).
struct ExecPlugin {
  std::string api_version;
  std::string command;  // a path, or a name that is looked up in PATH
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // besides our own
  bool wants_cluster = false;                                    // provideClusterInfo
  std::string install_hint;                                      // for when it can't be found
};

/// How to reach the kubelets of the cluster's nodes.
struct KubeletConfig {
  std::uint16_t port = 10250;
  std::string authorities_file;  // PEM, of their certificates; empty: the cluster's authorities
};

struct ClusterConfig {
  std::vector<std::string> servers;  // http or https URLs; the same cluster behind each
  TextOrFile authorities;            // PEM; empty: the system's
  bool insecure_skip_tls_verify = false;
  std::string tls_server_name;  // for the server's certificate; empty: the URL's host
  std::string proxy_url;        // http or socks5; empty: none

  KubeletConfig kubelets;

  // At most one of these says who we are, or a client certificate, or nothing does.
  std::string token;
  std::string token_file;
  std::optional<ExecPlugin> exec;
  TextOrFile client_certificate;  // PEM, with its key
  TextOrFile client_key;
};

}  // namespace sluice::backend::kubernetes
