#include "cli/cluster/connector.h"

#include <fmt/format.h>

#include "base/file.h"
#include "cli/cluster/proxy_choice.h"
#include "net/dead_peer.h"
#include "net/resolve.h"
#include "net/tls_stream.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kMaxAuthoritiesBytes = 4_MiB;

std::string name_of(const http::Proxy& proxy) {
  return fmt::format("the proxy {}:{}: ", proxy.host, proxy.port);
}

}  // namespace

Result<std::unique_ptr<Connector>> Connector::open(const Settings& settings,
                                                   const Environment& environment,
                                                   net::Timers& timers) {
  std::unique_ptr<Connector> connector(new Connector(environment, timers));
  connector->insecure_ = settings.insecure;
  if (settings.ca_file.empty()) return connector;
  Result<std::string> authorities = read_file(settings.ca_file, kMaxAuthoritiesBytes);
  if (!authorities) {
    return fail(ErrorCode::InvalidArgument,
                settings.ca_file + ": cannot be read: " + authorities.error().message);
  }
  // RFC 7468 5.1, and OpenSSL's TRUSTED CERTIFICATE.
  if (!authorities->contains("CERTIFICATE-----")) {
    return fail(ErrorCode::InvalidArgument, settings.ca_file + ": has no certificate (PEM)");
  }
  connector->authorities_pem_ = *std::move(authorities);
  return connector;
}

Result<Connector::Tls> Connector::tls_for(Peer peer) {
  const bool is_issuer = peer == Peer::Issuer;
  Tls& tls = is_issuer ? issuer_tls_ : server_tls_;
  if (tls) return tls;
  net::TlsClientOptions options;
  options.authorities_pem = authorities_pem_;
  options.system_authorities = is_issuer;
  options.verify = is_issuer || !insecure_;
  TRY(tls, net::TlsContext::for_client(options));
  return tls;
}

net::Task<Result<std::unique_ptr<net::Stream>>> Connector::connect(http::Url url, Peer peer) {
  CO_TRY(const std::optional<http::Proxy> proxy, choose_proxy(url, environment_));
  const std::string host = proxy ? proxy->host : url.host;
  const std::uint16_t port = proxy ? proxy->port : url.port;
  Result<std::unique_ptr<net::TcpStream>> connected = co_await net::connect_host(host, port);
  if (!connected && proxy) connected.error().message.insert(0, name_of(*proxy));
  CO_TRY(std::unique_ptr<net::TcpStream> tcp, std::move(connected));
  net::notice_dead_peer(*tcp);
  if (proxy) {
    CO_TRY_VOID(co_await http::open_tunnel(*tcp, *proxy, url.host, url.port));
  }
  if (!url.secure) co_return tcp;
  CO_TRY(const Tls tls, tls_for(peer));
  Result<std::unique_ptr<net::Stream>> secured =
      co_await net::connect_tls(std::move(tcp), tls, url.host, timers_, kPatience);
  // OpenSSL's word for an answer that is no TLS record.
  if (!secured && secured.error().message.contains("wrong version number")) {
    secured.error().message += fmt::format(": no TLS there; is it http://{}?", url.authority);
  }
  co_return secured;
}

}  // namespace sluice::cli
