// The sockets that a server listens on: those that it inherits (inheritance.h), and its own where
// it inherits none.
#pragma once

#include <optional>
#include <vector>

#include "net/event_loop.h"
#include "net/listener.h"
#include "sluiced/config.h"
#include "sluiced/inheritance.h"

namespace sluice::sluiced {

struct ServerSockets {
  std::vector<std::vector<net::Listener>> clients;  // by loop
  std::optional<net::Listener> admin;               // on the first loop
  std::vector<net::ListenAddress> addresses;        // for clients, with the ports that were picked
};

/// Each loop gets listeners for all addresses of clients. Inherited sockets that the configuration
/// no longer names are closed. Errors: Unavailable (ports), InvalidArgument (the service manager
/// hands over a socket that the configuration doesn't name).
Result<ServerSockets> open_sockets(const Config& config, Inheritance& inheritance,
                                   const std::vector<net::EventLoop*>& loops);

}  // namespace sluice::sluiced
