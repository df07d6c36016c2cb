#include "ws/frame_decoder.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::ws {
namespace {

constexpr std::size_t kKeyBytes = 4;

Violation violation(CloseCode code, std::string_view reason) {
  return {Close{code, std::string(reason)}};
}

Violation protocol_error(std::string_view reason) {
  return violation(CloseCode::ProtocolError, reason);
}

std::uint64_t read_big_endian(Bytes bytes) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

/// What may stand in a Close frame: RFC 6455 7.4 and the IANA registry (1012 to 1014).
bool may_be_received(unsigned code) {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace

Violation message_too_big(std::uint64_t max_message_bytes) {
  return violation(
      CloseCode::MessageTooBig,
      fmt::format("a message of more than {} bytes; send it in smaller ones", max_message_bytes));
}

FrameEvent FrameDecoder::feed(MutableBytes& input) {
  while (state_ != State::Ended) {
    if (state_ == State::Header) {
      if (auto broken = feed_header(input)) {
        state_ = State::Ended;
        return *std::move(broken);
      }
      if (state_ == State::Header) return NeedsInput{};
    }
    if (auto event = feed_payload(input)) return *std::move(event);
    if (input.empty() && payload_left_ > 0) return NeedsInput{};
  }
  input = {};
  return NeedsInput{};
}

std::optional<Violation> FrameDecoder::feed_header(MutableBytes& input) {
  while (header_size_ < header_needed_) {
    const std::size_t missing = std::size_t{header_needed_} - header_size_;
    const std::size_t count = std::min(missing, input.size());
    std::ranges::copy(input.first(count), header_.begin() + header_size_);
    header_size_ = static_cast<std::uint8_t>(header_size_ + count);
    input = input.subspan(count);
    if (count < missing) return std::nullopt;
    if (header_size_ == 2) {
      if (auto broken = check_first_bytes()) return broken;
    }
  }
  if (auto broken = read_length()) return broken;
  return begin_payload();
}

std::optional<Violation> FrameDecoder::check_first_bytes() {
  const unsigned first = std::to_integer<unsigned>(header_[0]);
  const unsigned second = std::to_integer<unsigned>(header_[1]);
  const bool masked = (second & 0x80) != 0;
  const unsigned short_length = second & 0x7F;

  if ((first & 0x30) != 0) return protocol_error("reserved bit set");
  switch (opcode()) {
    case Opcode::Continuation:
      if (!in_message_) return protocol_error("continuation of no message");
      break;
    case Opcode::Text:
    case Opcode::Binary:
      if (in_message_) return protocol_error("new message inside a fragmented one");
      break;
    case Opcode::Close:
    case Opcode::Ping:
    case Opcode::Pong:
      if (!is_final()) return protocol_error("fragmented control frame");
      if (short_length > kMaxControlBytes) return protocol_error("control frame over 125 bytes");
      break;
    default: return protocol_error("unknown opcode");
  }
  const bool may_compress =
      compression_ == Compression::Negotiated && !is_control() && opcode() != Opcode::Continuation;
  if ((first & 0x40) != 0 && !may_compress) return protocol_error("reserved bit set");
  if (role_ == Role::Server && !masked) return protocol_error("client frame without mask");
  if (role_ == Role::Client && masked) return protocol_error("server frame with mask");

  const unsigned length_bytes = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
  header_needed_ = static_cast<std::uint8_t>(2 + length_bytes + (masked ? kKeyBytes : 0));
  return std::nullopt;
}

std::optional<Violation> FrameDecoder::read_length() {
  const unsigned short_length = std::to_integer<unsigned>(header_[1]) & 0x7F;
  const Bytes header(header_);
  if (short_length < 126) {
    payload_left_ = short_length;
  } else if (short_length == 126) {
    payload_left_ = read_big_endian(header.subspan(2, 2));
    if (payload_left_ < 126) return protocol_error("length not in its shortest form");
  } else {
    payload_left_ = read_big_endian(header.subspan(2, 8));
    if (payload_left_ >> 63 != 0) return protocol_error("length with its highest bit set");
    if (payload_left_ <= 0xFFFF) return protocol_error("length not in its shortest form");
  }
  return std::nullopt;
}

std::optional<Violation> FrameDecoder::begin_payload() {
  key_ = 0;
  if (role_ == Role::Server) std::memcpy(&key_, &header_[header_size_ - kKeyBytes], kKeyBytes);
  header_size_ = 0;
  header_needed_ = 2;
  control_size_ = 0;
  if (!is_control() && opcode() != Opcode::Continuation) {
    in_message_ = true;
    message_begun_ = false;
    message_bytes_ = 0;
    message_opcode_ = opcode();
    message_compressed_ = (std::to_integer<unsigned>(header_[0]) & 0x40) != 0;
  }
  state_ = State::Payload;
  if (is_control()) return std::nullopt;
  if (payload_left_ > max_message_bytes_ - message_bytes_)
    return message_too_big(max_message_bytes_);
  message_bytes_ += payload_left_;
  return std::nullopt;
}

std::optional<FrameEvent> FrameDecoder::feed_payload(MutableBytes& input) {
  const std::size_t count = std::min<std::uint64_t>(payload_left_, input.size());
  const MutableBytes bytes = input.first(count);
  input = input.subspan(count);
  payload_left_ -= count;
  if (role_ == Role::Server) key_ = apply_mask(bytes, key_);
  if (payload_left_ == 0) state_ = State::Header;
  return is_control() ? feed_control(bytes) : feed_data(bytes);
}

std::optional<FrameEvent> FrameDecoder::feed_data(MutableBytes bytes) {
  const bool ends_message = payload_left_ == 0 && is_final();
  if (message_opcode_ == Opcode::Text && !message_compressed_) {
    if (!text_.feed(bytes) || (ends_message && !text_.finish())) {
      state_ = State::Ended;
      return violation(CloseCode::InvalidPayload, "text is not UTF-8");
    }
  }
  if (bytes.empty() && !ends_message) return std::nullopt;
  DataPiece data{.piece = {.payload = bytes,
                           .starts_message = !message_begun_,
                           .ends_message = ends_message,
                           .opcode = message_opcode_},
                 .compressed = message_compressed_};
  message_begun_ = true;
  in_message_ = !ends_message;
  return data;
}

std::optional<FrameEvent> FrameDecoder::feed_control(MutableBytes bytes) {
  std::ranges::copy(bytes, control_.begin() + control_size_);
  control_size_ = static_cast<std::uint8_t>(control_size_ + bytes.size());
  if (payload_left_ > 0) return std::nullopt;
  if (opcode() == Opcode::Ping) return Ping{Bytes(control_).first(control_size_)};
  if (opcode() == Opcode::Pong) return Pong{};
  state_ = State::Ended;
  return finish_close();
}

FrameEvent FrameDecoder::finish_close() {
  const Bytes payload = Bytes(control_).first(control_size_);
  if (payload.empty()) return Close{CloseCode::NoStatus, {}};
  if (payload.size() == 1) return protocol_error("close payload of one byte");
  const unsigned code = static_cast<unsigned>(read_big_endian(payload.first(2)));
  if (!may_be_received(code)) return protocol_error("invalid close code");
  const std::string_view reason = as_text(payload.subspan(2));
  if (!is_utf8(reason)) {
    return violation(CloseCode::InvalidPayload, "close reason is not UTF-8");
  }
  return Close{static_cast<CloseCode>(code), std::string(reason)};
}

}  // namespace sluice::ws
