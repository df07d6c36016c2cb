// Close codes and opcodes of RFC 6455.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::ws {

/// RFC 6455 5.2.
enum class Opcode : std::uint8_t {
  Continuation = 0x0,
  Text = 0x1,
  Binary = 0x2,
  Close = 0x8,
  Ping = 0x9,
  Pong = 0xA,
};

/// RFC 6455 7.4.1. A received code may be any other that the RFC allows (3000-4999).
enum class CloseCode : std::uint16_t {
  Normal = 1000,
  GoingAway = 1001,
  ProtocolError = 1002,
  UnsupportedData = 1003,
  NoStatus = 1005,  // never sent: the peer's Close had no code
  Abnormal = 1006,  // never sent: the connection ended without a Close
  InvalidPayload = 1007,
  PolicyViolation = 1008,
  MessageTooBig = 1009,
  InternalError = 1011,
};

/// The content of a Close frame. `reason` is UTF-8 of at most 123 bytes (RFC 6455 5.5).
struct Close {
  CloseCode code = CloseCode::Normal;
  std::string reason;
  bool operator==(const Close&) const = default;
};

}  // namespace sluice::ws
