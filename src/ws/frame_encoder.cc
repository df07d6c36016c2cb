#include "ws/frame_encoder.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace sluice::ws {
namespace {

constexpr std::size_t kMaxReasonBytes = 123;  // RFC 6455 5.5: 125 with the code

}  // namespace

void FrameEncoder::append_frames(OutputBuffer& out, Opcode opcode, Bytes payload, bool final,
                                 Compressed compressed) {
  while (payload.size() > kMaxFrameBytes) {
    append_frame(out, opcode, payload.first(kMaxFrameBytes), false, compressed);
    payload = payload.subspan(kMaxFrameBytes);
    opcode = Opcode::Continuation;
    compressed = Compressed::No;  // RSV1 stands on the first frame only (RFC 7692 6.1)
  }
  append_frame(out, opcode, payload, final, compressed);
}

void FrameEncoder::append_frame(OutputBuffer& out, Opcode opcode, Bytes payload, bool final,
                                Compressed compressed) {
  std::byte* at = out.reserve(payload.size() + kMaxHeaderBytes);
  std::size_t header = write_header(at, opcode, payload.size(), final, compressed);
  MaskingKey key = 0;
  if (role_ == Role::Client) {
    at[1] |= std::byte{0x80};
    key = next_key();
    std::memcpy(at + header, &key, sizeof key);
    header += sizeof key;
  }
  if (!payload.empty()) std::memcpy(at + header, payload.data(), payload.size());
  if (role_ == Role::Client) (void)apply_mask({at + header, payload.size()}, key);
  out.commit(header + payload.size());
}

MaskingKey FrameEncoder::next_key() {
  if (keys_used_ == keys_.size()) {
    random_.fill(keys_);
    keys_used_ = 0;
  }
  MaskingKey key;
  std::memcpy(&key, &keys_[keys_used_], sizeof key);
  keys_used_ = static_cast<std::uint8_t>(keys_used_ + sizeof key);
  return key;
}

std::size_t FrameEncoder::write_header(std::byte* at, Opcode opcode, std::size_t size, bool final,
                                       Compressed compressed) {
  at[0] = static_cast<std::byte>(static_cast<unsigned>(opcode) | (final ? 0x80u : 0u) |
                                 (compressed == Compressed::Yes ? 0x40u : 0u));
  if (size <= 125) {
    at[1] = static_cast<std::byte>(size);
    return 2;
  }
  const bool wide = size > 0xFFFF;
  const std::size_t bytes = wide ? 8 : 2;
  at[1] = static_cast<std::byte>(wide ? 127 : 126);
  for (std::size_t i = 0; i < bytes; ++i) {
    at[2 + i] = static_cast<std::byte>(std::uint64_t{size} >> (8 * (bytes - 1 - i)));
  }
  return 2 + bytes;
}

void FrameEncoder::append_close(OutputBuffer& out, const Close& close) {
  std::array<std::byte, 2 + kMaxReasonBytes> payload;
  std::size_t size = 0;
  if (close.code != CloseCode::NoStatus) {
    const unsigned code = static_cast<unsigned>(close.code);
    const std::string_view reason = truncate_utf8(close.reason, kMaxReasonBytes);
    payload[0] = static_cast<std::byte>(code >> 8);
    payload[1] = static_cast<std::byte>(code);
    std::ranges::copy(as_bytes(reason), payload.begin() + 2);
    size = 2 + reason.size();
  }
  append(out, Opcode::Close, Bytes(payload).first(size), true);
}

}  // namespace sluice::ws
