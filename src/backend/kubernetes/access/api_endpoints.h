// ApiEndpoints: the API servers of one cluster, and getting a connection to any of them: through
// the death of one, of one address of a name, and through a proxy.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backend/kubernetes/access/cluster_access.h"
#include "backend/kubernetes/access/cluster_config.h"
#include "http/proxy_tunnel.h"
#include "http/url.h"
#include "net/tcp_stream.h"
#include "net/timers.h"
#include "net/tls_context.h"

namespace sluice::backend::kubernetes {

/// Any loop.
class ApiEndpoints {
 public:
  /// How long one address may take, TLS included, before the next one is tried.
  static constexpr nanoseconds kPatience = seconds(5);

  /// Errors: InvalidArgument (URLs).
  static Result<std::unique_ptr<ApiEndpoints>> from(const ClusterConfig& config,
                                                    net::Timers& timers);

  /// Whether one of them speaks TLS.
  bool any_secure() const;
  /// Begins with the server and address that answered last. `tls` may be null when there is no
  /// secure one. Errors: Unavailable, its cause naming the servers; Cancelled.
  net::Task<Result<ApiConnection>> connect(std::shared_ptr<const net::TlsContext> tls);

 private:
  using Tls = std::shared_ptr<const net::TlsContext>;

  ApiEndpoints(std::string server_name, net::Timers& timers)
      : server_name_(std::move(server_name)), timers_(timers) {}

  net::Task<Result<ApiConnection>> connect_server(const http::Url& server, Tls tls);
  net::Task<Result<ApiConnection>> connect_address(const http::Url& server, std::string address,
                                                   Tls tls);
  std::vector<std::string> last_good_first(std::vector<std::string> addresses) const;
  std::size_t preferred() const;
  void prefer(std::size_t server, const std::string& address);

  std::vector<http::Url> servers_;
  std::optional<http::Proxy> proxy_;
  const std::string server_name_;
  net::Timers& timers_;
  mutable std::mutex mutex_;
  std::size_t preferred_ = 0;
  std::string last_good_address_;
};

}  // namespace sluice::backend::kubernetes
