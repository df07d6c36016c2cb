// What both programs do with a WebSocket: each message is sent back as it came.
#pragma once

#include "ws/connection.h"

namespace sluice::autobahn {

/// Until the peer's Close, which is answered, or a violation, which is reported to it.
net::Task<> echo(ws::Connection& socket);

}  // namespace sluice::autobahn
