#include "backend/kubernetes/access/api_endpoints.h"

#include <algorithm>

#include "net/dead_peer.h"
#include "net/deadline.h"
#include "net/resolve.h"
#include "net/tls_stream.h"

namespace sluice::backend::kubernetes {
namespace {

std::string without_final_slash(std::string path) {
  if (path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

Result<std::unique_ptr<ApiEndpoints>> ApiEndpoints::from(const ClusterConfig& config,
                                                         net::Timers& timers) {
  std::unique_ptr<ApiEndpoints> made(new ApiEndpoints(config.tls_server_name, timers));
  for (const std::string& text : config.servers) {
    TRY(http::Url url, http::parse_url(text));
    if (url.target.contains('?')) {
      return fail(ErrorCode::InvalidArgument, "\"" + text + "\" is no API server: it has a query");
    }
    made->servers_.push_back(std::move(url));
  }
  if (made->servers_.empty()) {
    return fail(ErrorCode::InvalidArgument, "no API server is named");
  }
  if (config.proxy_url.empty()) return made;
  TRY(made->proxy_, http::parse_proxy(config.proxy_url));
  return made;
}

bool ApiEndpoints::any_secure() const {
  return std::ranges::any_of(servers_, [](const http::Url& server) { return server.secure; });
}

net::Task<Result<ApiConnection>> ApiEndpoints::connect(Tls tls) {
  Error error{ErrorCode::Unavailable, "the cluster's API server can't be reached"};
  const std::size_t first = preferred();
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const std::size_t index = (first + i) % servers_.size();
    const http::Url& server = servers_[index];
    Result<ApiConnection> connection = co_await connect_server(server, tls);
    if (connection) {
      prefer(index, connection->stream->peer());
      co_return connection;
    }
    if (connection.error().code == ErrorCode::Cancelled) co_return connection;
    if (i == 0) error.message += ": " + connection.error().message;
    error.cause += (i == 0 ? "" : "; ") + server.authority + ": " + connection.error().message;
  }
  co_return fail(std::move(error));
}

net::Task<Result<ApiConnection>> ApiEndpoints::connect_server(const http::Url& server, Tls tls) {
  const std::string host = proxy_ ? proxy_->host : server.host;
  auto resolving = net::resolve(host);
  Result<std::vector<std::string>> addresses =
      co_await net::before(timers_.now() + kPatience, timers_, std::move(resolving));
  if (!addresses) co_return fail(addresses.error());
  Result<ApiConnection> connection = fail(ErrorCode::Unavailable, "no address");
  for (const std::string& address : last_good_first(*std::move(addresses))) {
    auto task = connect_address(server, address, tls);
    connection = co_await net::before(timers_.now() + kPatience, timers_, std::move(task));
    if (connection || connection.error().code == ErrorCode::Cancelled) break;
  }
  co_return connection;
}

net::Task<Result<ApiConnection>> ApiEndpoints::connect_address(const http::Url& server,
                                                               std::string address, Tls tls) {
  const std::uint16_t port = proxy_ ? proxy_->port : server.port;
  CO_TRY(std::unique_ptr<net::TcpStream> tcp, co_await net::connect_tcp(std::move(address), port));
  net::notice_dead_peer(*tcp);
  if (proxy_) {
    CO_TRY_VOID(co_await http::open_tunnel(*tcp, *proxy_, server.host, server.port));
  }
  ApiConnection connection;
  connection.authority = server.authority;
  connection.path_prefix = without_final_slash(server.target);
  if (server.secure) {
    const std::string name = server_name_.empty() ? server.host : server_name_;
    CO_TRY(connection.stream,
           co_await net::connect_tls(std::move(tcp), std::move(tls), name, timers_, kPatience));
  } else {
    connection.stream = std::move(tcp);
  }
  co_return connection;
}

/// A name's addresses: the one that answered last time saves waiting for one that doesn't.
std::vector<std::string> ApiEndpoints::last_good_first(std::vector<std::string> addresses) const {
  const std::lock_guard lock(mutex_);
  const auto good = std::ranges::find_if(addresses, [&](const std::string& address) {
    return last_good_address_.starts_with(address + ":") ||
           last_good_address_.starts_with("[" + address + "]");
  });
  if (good != addresses.end()) std::rotate(addresses.begin(), good, std::next(good));
  return addresses;
}

std::size_t ApiEndpoints::preferred() const {
  const std::lock_guard lock(mutex_);
  return preferred_;
}

void ApiEndpoints::prefer(std::size_t server, const std::string& address) {
  const std::lock_guard lock(mutex_);
  preferred_ = server;
  last_good_address_ = address;
}

}  // namespace sluice::backend::kubernetes
