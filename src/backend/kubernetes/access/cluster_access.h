// ClusterAccess: where a cluster's API servers are and how we prove who we are: what a kubeconfig
// or a pod's service account says, kept fresh while it is used. It opens connections; it sends
// nothing on them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/stream.h"

namespace sluice::backend::kubernetes {

/// Where one connection leads, and what each request on it carries.
struct ApiConnection {
  std::unique_ptr<net::Stream> stream;
  std::string authority;    // for Host
  std::string path_prefix;  // of the server's URL: "" or "/k8s/clusters/c-1"
};

/// Any loop may call it, at the same time as others.
class ClusterAccess {
 public:
  virtual ~ClusterAccess() = default;

  /// Connects to an API server (the next one after a failure, where there are several), on the
  /// calling loop. Errors: Unavailable, its cause naming the server; Cancelled.
  virtual net::Task<Result<ApiConnection>> connect() = 0;
  /// Connects to the kubelet at a node's address, whose certificate must be valid for it, whatever
  /// is configured for the API server: our credentials go to nobody unknown. Errors: as connect().
  virtual net::Task<Result<ApiConnection>> connect_node(std::string address) = 0;
  /// The Authorization field for the next request; nullopt: the client certificate says it all.
  /// Errors: Unavailable (token file unreadable, exec plugin failed); Cancelled.
  virtual net::Task<Result<std::optional<std::string>>> authorization() = 0;
  /// The next authorization() and connect() fetch the credentials anew: they were refused (401), or
  /// may have changed.
  virtual void renew_credentials() = 0;
};

}  // namespace sluice::backend::kubernetes
