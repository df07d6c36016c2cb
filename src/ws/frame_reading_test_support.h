// A second reading of RFC 6455 5, to hold the FrameDecoder and the Connection against: of all that
// one side has sent, at once. It shares no code with them but the inflating, and is written for
// being read beside the RFC.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "ws/message.h"
#include "ws/permessage_deflate.h"

namespace sluice::ws {

struct ReadMessage {
  Opcode opcode = Opcode::Binary;
  std::string payload;
  bool operator==(const ReadMessage&) const = default;
};

/// What the bytes mean.
struct Reading {
  std::vector<ReadMessage> messages;  // whole ones
  ReadMessage unfinished;             // what came of the one under way
  std::vector<std::string> pings;
  std::vector<std::string> pongs;
  // At most one of them, and nothing is read behind it.
  std::optional<CloseCode> violation;  // a rule is broken, and this is what calls it
  std::optional<Close> close;
  bool operator==(const Reading&) const = default;
};

class FrameReading {
 public:
  struct Options {
    Role reader = Role::Server;
    std::uint64_t max_message_bytes = 0;
    std::optional<DeflateDirection> compression;  // what the sender compresses with
  };

  explicit FrameReading(Options options) : options_(options) {
    if (options.compression) inflater_.emplace(*options.compression);
  }

  Reading read(std::string_view bytes) {
    while (read_frame(bytes)) {
    }
    return std::move(seen_);
  }

 private:
  /// A frame's header, and where its payload begins.
  struct Header {
    bool final = false;
    bool compressed = false;
    bool masked = false;
    unsigned opcode = 0;
    std::uint64_t length = 0;
    std::size_t size = 0;
    bool is_control() const { return opcode >= 8; }
  };

  static std::uint64_t number_at(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value * 256 + static_cast<std::uint8_t>(byte);
    return value;
  }

  bool broken(CloseCode code) {
    seen_.violation = code;
    return false;
  }

  /// Takes a frame off `bytes`. False: there is no whole one, or nothing may follow it.
  bool read_frame(std::string_view& bytes) {
    if (bytes.size() < 2) return false;
    const Header header = parse_header(bytes);
    if (breaks_rules(header, bytes)) return broken(CloseCode::ProtocolError);
    if (bytes.size() < header.size) return false;
    const bool shortest = header.size <= 2 + (header.masked ? 4U : 0U) ||
                          header.length > ((bytes[1] & 0x7F) == 126 ? 125U : 0xFFFFU);
    if (!shortest || header.length >> 63 != 0) return broken(CloseCode::ProtocolError);
    if (!header.is_control()) {
      if (header.opcode != 0) begin_message(header);
      if (header.length > options_.max_message_bytes - message_bytes_) {
        return broken(CloseCode::MessageTooBig);
      }
      message_bytes_ += header.length;
    }
    std::string payload(bytes.substr(header.size, header.length));
    if (header.masked) {
      const std::string_view key = bytes.substr(header.size - 4, 4);
      for (std::size_t i = 0; i < payload.size(); ++i) {
        payload[i] = static_cast<char>(payload[i] ^ key[i % 4]);
      }
    }
    bytes.remove_prefix(header.size + payload.size());
    const bool whole = payload.size() == header.length;
    if (header.is_control()) return whole && take_control(header.opcode, payload);
    return take_data(payload, whole && header.final) && whole;
  }

  static Header parse_header(std::string_view bytes) {
    const auto first = static_cast<std::uint8_t>(bytes[0]);
    const auto second = static_cast<std::uint8_t>(bytes[1]);
    Header header{.final = first >= 0x80,
                  .compressed = (first & 0x40) != 0,
                  .masked = second >= 0x80,
                  .opcode = first % 16U,
                  .length = second % 128U};
    const std::size_t extended = header.length == 126 ? 2 : header.length == 127 ? 8 : 0;
    if (extended > 0) header.length = number_at(bytes.substr(2, extended));
    header.size = 2 + extended + (header.masked ? 4 : 0);
    return header;
  }

  /// By its first two bytes.
  bool breaks_rules(const Header& header, std::string_view bytes) const {
    const bool reserved = (bytes[0] & 0x30) != 0;
    const bool is_message = header.opcode == 1 || header.opcode == 2;
    const bool known = header.opcode <= 2 || (header.opcode >= 8 && header.opcode <= 10);
    if (reserved || !known) return true;
    if (header.compressed && (!options_.compression || !is_message)) return true;
    if (is_message && in_message_) return true;
    if (header.opcode == 0 && !in_message_) return true;
    if (header.is_control() && (!header.final || (bytes[1] & 0x7F) > 125)) return true;
    return header.masked != (options_.reader == Role::Server);
  }

  void begin_message(const Header& header) {
    in_message_ = true;
    compressed_ = header.compressed;
    message_bytes_ = 0;
    seen_.unfinished = {static_cast<Opcode>(header.opcode), {}};
  }

  bool take_data(std::string_view payload, bool ends) {
    std::string& text = seen_.unfinished.payload;
    if (!compressed_) {
      text += payload;
    } else if (!inflate(payload, ends)) {
      return broken(CloseCode::InvalidPayload);
    }
    if (text.size() > options_.max_message_bytes) return broken(CloseCode::MessageTooBig);
    if (seen_.unfinished.opcode == Opcode::Text && !(ends ? is_utf8(text) : may_be_utf8(text))) {
      return broken(CloseCode::InvalidPayload);
    }
    if (!ends) return true;
    seen_.messages.push_back(std::move(seen_.unfinished));
    seen_.unfinished = {};
    in_message_ = false;
    return true;
  }

  /// Whether it is the beginning of some text.
  static bool may_be_utf8(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t size = utf8_sequence_length(text.substr(at));
      if (size == 0) break;
      at += size;
    }
    const std::string tail(text.substr(at));
    if (tail.empty()) return true;
    if (tail.size() > 3) return false;
    constexpr std::array<std::string_view, 6> kEndings = {
        "\x80", "\xA0\x80", "\x80\x80", "\x90\x80\x80", "\x80\x80\x80", ""};
    return std::ranges::any_of(
        kEndings, [&tail](std::string_view end) { return is_utf8(tail + std::string(end)); });
  }

  bool inflate(std::string_view payload, bool ends) {
    std::array<std::byte, 4096> room;
    Bytes input = as_bytes(payload);
    bool more = true;
    while (more && seen_.unfinished.payload.size() <= options_.max_message_bytes) {
      const auto step = inflater_->decompress(input, ends, room);
      if (!step) return false;
      input = input.subspan(step->consumed);
      seen_.unfinished.payload += as_text(Bytes(room).first(step->produced));
      more = step->more;
    }
    return true;
  }

  bool take_control(unsigned opcode, const std::string& payload) {
    if (opcode == 9) seen_.pings.push_back(payload);
    if (opcode == 10) seen_.pongs.push_back(payload);
    return opcode != 8 || take_close(payload);
  }

  /// False: nothing follows.
  bool take_close(std::string_view payload) {
    if (payload.empty()) {
      seen_.close = Close{CloseCode::NoStatus, {}};
      return false;
    }
    const std::uint64_t code = number_at(payload.substr(0, 2));
    const bool registered = code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
    const bool reserved_for_use = code >= 3000 && code <= 4999;
    if (payload.size() == 1 || !(registered || reserved_for_use)) {
      return broken(CloseCode::ProtocolError);
    }
    if (!is_utf8(payload.substr(2))) return broken(CloseCode::InvalidPayload);
    seen_.close = Close{static_cast<CloseCode>(code), std::string(payload.substr(2))};
    return false;
  }

  Options options_;
  std::optional<Inflater> inflater_;
  Reading seen_;
  bool in_message_ = false;
  bool compressed_ = false;          // the message under way
  std::uint64_t message_bytes_ = 0;  // of its frames so far, on the wire
};

}  // namespace sluice::ws
