// The two framings of port-forward, between which run_port_session() chooses.
#pragma once

#include <string>
#include <vector>

#include "session/session_run.h"

namespace sluice::session {

/// One connection as plain bytes: port_session.cc.
net::Task<SessionEnd> run_raw_port(SessionContext context, ws::Connection& socket,
                                   ForwardedPort port, EmptyMessage empty_message);

/// Channel pairs, several connections on one WebSocket: channel_port_session.cc.
net::Task<SessionEnd> run_channel_ports(SessionContext context, ws::Connection& socket,
                                        std::vector<ForwardedPort> ports);

/// "port 8090: ", the start of what is said about one port.
inline std::string about_port(std::uint16_t port) { return "port " + std::to_string(port) + ": "; }

}  // namespace sluice::session
