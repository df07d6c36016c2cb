// PortFraming: how the messages of a WebSocket carry one TCP connection to a port of a pod. Two
// ways; which one is settled in the handshake: channel_framing.h and spdy_framing.h. No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "ws/message.h"

namespace sluice::backend::kubernetes {

/// From the pod, never empty.
struct PortData {
  Bytes bytes;
};
/// Part of what the cluster says went wrong.
struct PortTrouble {
  std::string_view text;
};
/// The pod's side has ended, and with it the connection; nothing follows.
struct PortClosed {};
/// The cluster has broken it off.
struct PortReset {};
/// To be sent to the cluster.
struct PortAnswer {
  std::string message;
};
/// What lies in the message is valid until the next feed().
using PortEvent = std::variant<PortData, PortTrouble, PortClosed, PortReset, PortAnswer>;

class PortFraming {
 public:
  virtual ~PortFraming() = default;

  /// The first message, which opens the connection; empty: there is none.
  virtual std::string opening() = 0;
  /// What stands in a message before so many bytes for the pod; valid until the next call.
  virtual Bytes header(std::size_t payload_bytes) = 0;
  /// Says that we send no more, upon which the cluster ends the connection; empty: only a Close of
  /// the WebSocket says that.
  virtual std::string farewell() const = 0;
  /// A message for a stream that was idle for long; it may be empty.
  virtual std::string keep_alive() const = 0;
  /// Whether a normal Close of the WebSocket is how a connection ends that has nothing wrong.
  virtual bool ends_with_close() const = 0;

  /// Takes what was received; then next() is to be called until it gives nothing
  /// or the end.
  virtual void feed(const ws::MessagePiece& piece) = 0;
  /// Errors: Unavailable: the cluster broke the protocol.
  virtual Result<std::optional<PortEvent>> next() = 0;
};

}  // namespace sluice::backend::kubernetes
