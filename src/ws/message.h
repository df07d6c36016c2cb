// What a WebSocket carries, as both codec and Connection speak of it.
#pragma once

#include <variant>

#include "base/bytes.h"
#include "ws/close_code.h"

namespace sluice::ws {

enum class Role { Server, Client };

/// Part of a message's payload, as it came off the wire: a large message arrives in several pieces,
/// so its size needs no limit. An empty message is one empty piece with both flags.
struct MessagePiece {
  MutableBytes payload;
  bool starts_message = true;
  bool ends_message = true;
  Opcode opcode = Opcode::Binary;  // the message's: this or Text

  bool is_empty_message() const { return payload.empty() && starts_message && ends_message; }
};

/// What Connection::receive() returns: a piece, or the peer's Close (code Abnormal when the stream
/// just ended).
using Received = std::variant<MessagePiece, Close>;

}  // namespace sluice::ws
