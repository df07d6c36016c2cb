// Connector: how hosts are reached: straight or through the environment's proxy, and whom TLS
// trusts.
#pragma once

#include <memory>

#include "cli/cluster/environment.h"
#include "cli/cluster/settings.h"
#include "http/url.h"
#include "net/stream.h"
#include "net/timers.h"
#include "net/tls_context.h"

namespace sluice::cli {

class Connector {
 public:
  /// How long a TLS handshake may take.
  static constexpr nanoseconds kPatience = seconds(20);

  enum class Peer {
    Server,  // of the cluster API: whom it trusts is the configuration's word
    Issuer,  // of tokens: its certificate is always checked, by the system's authorities, too
  };

  /// Reads what the settings name. `environment` and `timers` outlive it. Errors: InvalidArgument.
  static Result<std::unique_ptr<Connector>> open(const Settings& settings,
                                                 const Environment& environment,
                                                 net::Timers& timers);

  /// A connection to the host of an http or https URL. Errors: InvalidArgument (of the proxy, of
  /// the authorities), Unavailable, Cancelled.
  net::Task<Result<std::unique_ptr<net::Stream>>> connect(http::Url url, Peer peer);

 private:
  using Tls = std::shared_ptr<const net::TlsContext>;

  Connector(const Environment& environment, net::Timers& timers)
      : environment_(environment), timers_(timers) {}
  Result<Tls> tls_for(Peer peer);

  const Environment& environment_;
  net::Timers& timers_;
  std::string authorities_pem_;
  bool insecure_ = false;
  // Made when they are needed: to read the system's authorities takes a while.
  Tls server_tls_;
  Tls issuer_tls_;
};

}  // namespace sluice::cli
