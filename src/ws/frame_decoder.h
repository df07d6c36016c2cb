// FrameDecoder: RFC 6455 5 without I/O: bytes in, events out, for either role. Payload is unmasked
// in place and handed on as it comes, so a message may be of any size; every rule of the RFC is
// enforced.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <variant>

#include "ws/masking.h"
#include "ws/message.h"
#include "ws/utf8_validator.h"

namespace sluice::ws {

inline constexpr std::size_t kMaxControlBytes = 125;  // RFC 6455 5.5
inline constexpr std::uint64_t kAnySize = std::numeric_limits<std::uint64_t>::max();

/// Everything that was fed is used up.
struct NeedsInput {};
/// Part of a text or binary message; `compressed` ones have yet to be inflated and, if text,
/// checked.
struct DataPiece {
  MessagePiece piece;  // lies in the bytes that were fed
  bool compressed = false;
};
struct Ping {
  Bytes payload;  // valid until the next feed()
};
struct Pong {};
/// The peer broke the protocol; `close` is what it is to be told. Nothing follows.
struct Violation {
  Close close;
};
/// For a message of more than so many bytes (RFC 6455 7.4.1).
Violation message_too_big(std::uint64_t max_message_bytes);
/// Close: the peer's; nothing follows. Its code is NoStatus when it had none.
using FrameEvent = std::variant<NeedsInput, DataPiece, Ping, Pong, Close, Violation>;

class FrameDecoder final {
 public:
  /// `role` is ours: a server's decoder reads a client's frames. `compression`: RSV1 may be set.
  enum class Compression { None, Negotiated };
  /// A message of more than `max_message_bytes` on the wire is refused (1009) before the frame that
  /// makes it so large is read.
  explicit FrameDecoder(Role role, Compression compression = Compression::None,
                        std::uint64_t max_message_bytes = kAnySize)
      : role_(role), compression_(compression), max_message_bytes_(max_message_bytes) {}

  /// Takes bytes off the front of `input` up to the next event. Call again until NeedsInput.
  FrameEvent feed(MutableBytes& input);
  /// Nothing follows any more: for who finds a message broken that came out whole.
  void end() { state_ = State::Ended; }

 private:
  enum class State { Header, Payload, Ended };

  std::optional<Violation> feed_header(MutableBytes& input);
  std::optional<Violation> check_first_bytes();
  std::optional<Violation> read_length();
  std::optional<Violation> begin_payload();
  std::optional<FrameEvent> feed_payload(MutableBytes& input);
  std::optional<FrameEvent> feed_data(MutableBytes bytes);
  std::optional<FrameEvent> feed_control(MutableBytes bytes);
  FrameEvent finish_close();

  bool is_control() const { return (std::to_integer<unsigned>(header_[0]) & 0x08) != 0; }
  bool is_final() const { return (std::to_integer<unsigned>(header_[0]) & 0x80) != 0; }
  Opcode opcode() const { return static_cast<Opcode>(std::to_integer<unsigned>(header_[0]) & 0xF); }

  Role role_;
  Compression compression_;
  std::uint64_t max_message_bytes_;
  State state_ = State::Header;

  // The frame under way.
  std::array<std::byte, 14> header_{};
  std::uint8_t header_size_ = 0;
  std::uint8_t header_needed_ = 2;
  MaskingKey key_ = 0;
  std::uint64_t payload_left_ = 0;
  std::array<std::byte, kMaxControlBytes> control_{};
  std::uint8_t control_size_ = 0;

  // The message under way; control frames may stand between its frames.
  bool in_message_ = false;
  bool message_compressed_ = false;
  bool message_begun_ = false;       // a piece of it was handed on
  std::uint64_t message_bytes_ = 0;  // of its frames so far
  Opcode message_opcode_ = Opcode::Binary;
  Utf8Validator text_;
};

}  // namespace sluice::ws
