#include "sluiced/server_sockets.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

namespace sluice::sluiced {
namespace {

using Loops = std::vector<net::EventLoop*>;
using ListenersByLoop = std::vector<std::vector<net::Listener>>;

/// Each loop gets a listener of its own; the first one's choice of a free port binds the others.
Result<> open_own(net::ListenAddress address, const Loops& loops, ListenersByLoop& all) {
  auto sharing = net::Listener::Sharing::First;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    TRY(net::Listener listener, net::Listener::open(loops[i]->executor(), address, sharing));
    address = listener.address();
    sharing = net::Listener::Sharing::Joining;
    all[i].push_back(std::move(listener));
  }
  return {};
}

/// Each socket needs a loop, for there may be clients waiting in it; and each loop needs a socket.
Result<> adopt(const std::vector<UniqueFd>& sockets, const Loops& loops, ListenersByLoop& all) {
  for (std::size_t i = 0; i < std::max(sockets.size(), loops.size()); ++i) {
    UniqueFd socket(::fcntl(sockets[i % sockets.size()].get(), F_DUPFD_CLOEXEC, 3));
    if (!socket) return fail(system_error(ErrorCode::Unavailable, "no listener", "fcntl", errno));
    const std::size_t loop = i % loops.size();
    TRY(net::Listener listener, net::Listener::adopt(loops[loop]->executor(), std::move(socket)));
    all[loop].push_back(std::move(listener));
  }
  return {};
}

Result<> open_clients(const Config& config, Inheritance& inheritance, const Loops& loops,
                      ServerSockets& opened) {
  opened.clients.resize(loops.size());
  for (const net::ListenAddress& address : config.listen) {
    const std::vector<UniqueFd> sockets = inheritance.claim(address, kClientSocket);
    if (sockets.empty()) {
      TRY_VOID(open_own(address, loops, opened.clients));
    } else {
      TRY_VOID(adopt(sockets, loops, opened.clients));
    }
    opened.addresses.push_back(opened.clients.front().back().address());
  }
  return {};
}

Result<std::optional<net::Listener>> open_admin(const Config& config, Inheritance& inheritance,
                                                net::Executor executor) {
  if (!config.admin) return std::optional<net::Listener>();
  std::vector<UniqueFd> sockets = inheritance.claim(*config.admin, kAdminSocket);
  if (sockets.empty()) {
    return net::Listener::open(executor, *config.admin, net::Listener::Sharing::First);
  }
  return net::Listener::adopt(executor, std::move(sockets.front()));
}

/// What the configuration no longer names is closed, unless the service manager holds it, too: its
/// clients would wait for ever.
Result<> let_go_of_unclaimed(const Config& config, Inheritance& inheritance) {
  for (const net::ListenAddress& address : inheritance.close_unclaimed()) {
    if (!inheritance.is_held()) continue;
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: listen: the service manager hands over a socket of {}, which "
                            "neither listen nor admin.listen names",
                            config.file, address.to_string()));
  }
  return {};
}

}  // namespace

Result<ServerSockets> open_sockets(const Config& config, Inheritance& inheritance,
                                   const std::vector<net::EventLoop*>& loops) {
  ServerSockets opened;
  // Clients' listeners before the admin's: with port 0, a socket is the first's that asks.
  TRY_VOID(open_clients(config, inheritance, loops, opened));
  TRY(opened.admin, open_admin(config, inheritance, loops.front()->executor()));
  TRY_VOID(let_go_of_unclaimed(config, inheritance));
  return opened;
}

}  // namespace sluice::sluiced
