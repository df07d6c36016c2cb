// How a connection to a server notices that the server is gone: what it waits for may be silent for
// minutes.
#pragma once

#include "net/tcp_stream.h"

namespace sluice::net {

/// Within two minutes: of a peer that is silent it asks whether it is there, and one that has
/// acknowledged nothing for a minute is gone.
inline void notice_dead_peer(TcpStream& stream) {
  stream.set_keepalive(seconds(20));
  stream.set_user_timeout(seconds(60));
}

}  // namespace sluice::net
