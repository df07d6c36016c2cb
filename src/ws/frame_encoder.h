// FrameEncoder: RFC 6455 5 without I/O: messages in, frames appended to a buffer. The hot path of
// log streaming: small frames of a server are written inline, a header and one copy.
#pragma once

#include <array>
#include <cstring>

#include "base/random.h"
#include "ws/masking.h"
#include "ws/message.h"
#include "ws/output_buffer.h"

namespace sluice::ws {

/// Larger payloads are split into frames of this size, so that control frames can go between them.
inline constexpr std::size_t kMaxFrameBytes = 1_MiB;
inline constexpr std::size_t kMaxHeaderBytes = 14;

enum class Compressed { No, Yes };

class FrameEncoder final {
 public:
  /// `random` gives a client its masking keys.
  FrameEncoder(Role role, Random& random) : role_(role), random_(random) {}

  /// Appends a message, or a fragment of one that is not `final`; one frame up to kMaxFrameBytes.
  void append(OutputBuffer& out, Opcode opcode, Bytes payload, bool final,
              Compressed compressed = Compressed::No) {
    if (role_ == Role::Server && payload.size() <= 0xFFFF && compressed == Compressed::No)
        [[likely]] {
      append_small(out, opcode, payload, final);
    } else {
      append_frames(out, opcode, payload, final, compressed);
    }
  }

  /// A Close; a reason over 123 bytes is cut between characters. NoStatus: without code (RFC
  /// 6455 5.5.1).
  void append_close(OutputBuffer& out, const Close& close);

  /// The header alone, of a server's frame, for a payload that is written from where it lies.
  /// Returns its size, at most 10.
  static std::size_t write_header(std::byte* at, Opcode opcode, std::size_t size, bool final,
                                  Compressed compressed = Compressed::No);

 private:
  static void append_small(OutputBuffer& out, Opcode opcode, Bytes payload, bool final) {
    std::byte* at = out.reserve(payload.size() + 4);
    at[0] = static_cast<std::byte>(static_cast<unsigned>(opcode) | (final ? 0x80u : 0u));
    std::size_t header = 2;
    if (payload.size() <= 125) {
      at[1] = static_cast<std::byte>(payload.size());
    } else {
      at[1] = std::byte{126};
      at[2] = static_cast<std::byte>(payload.size() >> 8);
      at[3] = static_cast<std::byte>(payload.size());
      header = 4;
    }
    if (!payload.empty()) std::memcpy(at + header, payload.data(), payload.size());
    out.commit(header + payload.size());
  }

  void append_frames(OutputBuffer& out, Opcode opcode, Bytes payload, bool final,
                     Compressed compressed);
  void append_frame(OutputBuffer& out, Opcode opcode, Bytes payload, bool final,
                    Compressed compressed);

  MaskingKey next_key();

  Role role_;
  Random& random_;
  std::array<std::byte, 64> keys_{};  // a client's next ones, drawn together
  std::uint8_t keys_used_ = sizeof keys_;
};

}  // namespace sluice::ws
