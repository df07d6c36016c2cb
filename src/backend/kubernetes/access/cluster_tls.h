// ClusterTls: the TLS context for connections to a cluster, made anew when what it is made from has
// changed: authorities and client certificates are renewed in their files.
#pragma once

#include <memory>
#include <mutex>

#include "backend/kubernetes/access/cluster_config.h"
#include "backend/kubernetes/access/exec_credential.h"
#include "net/tls_context.h"

namespace sluice::backend::kubernetes {

/// Any thread.
class ClusterTls {
 public:
  explicit ClusterTls(const ClusterConfig& config) : config_(config) {}

  /// For the next connection. `credential` is an exec plugin's, whose certificate comes before the
  /// configured one. Texts that are broken now leave the last context in force, and are logged
  /// once. Errors: Unavailable: there was none.
  Result<std::shared_ptr<const net::TlsContext>> current(const ExecCredential& credential);
  /// What the authorities' text or file holds now; empty: the system's are trusted.
  Result<std::string> authorities() const;

 private:
  Result<net::TlsClientOptions> read(const ExecCredential& credential) const;

  const ClusterConfig& config_;
  std::mutex mutex_;
  std::shared_ptr<const net::TlsContext> context_;
  net::TlsClientOptions source_;  // that it was made from
  std::string last_problem_;
};

}  // namespace sluice::backend::kubernetes
