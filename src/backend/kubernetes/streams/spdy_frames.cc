#include "backend/kubernetes/streams/spdy_frames.h"

#include <algorithm>
#include <cassert>

#include "base/take_bytes.h"

namespace sluice::backend::kubernetes {
namespace {

// Draft 3.1, 2.2.1: the first bit of a control frame, then the version and the type.
constexpr unsigned kControlBit = 0x80;
constexpr unsigned kVersion = 3;
constexpr unsigned kFlagFin = 0x01;

enum class ControlType : std::uint16_t {
  SynStream = 1,
  SynReply = 2,
  RstStream = 3,
  Ping = 6,
  Headers = 8,
};

unsigned byte_at(Bytes bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }

std::uint32_t read_uint32(Bytes bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | byte_at(bytes, at + i);
  return value;
}

void append_uint32(std::string& out, std::size_t value) {
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(value >> shift);
}

void append_text(std::string& out, std::string_view text) {
  append_uint32(out, text.size());
  out += text;
}

std::string control_frame(ControlType type, unsigned flags, std::string_view body) {
  std::string frame;
  append_uint32(frame, (kControlBit << 8 | kVersion) << 16 | static_cast<unsigned>(type));
  append_uint32(frame, std::size_t{flags} << 24 | body.size());
  frame += body;
  return frame;
}

/// A deflate block that is not the last and holds the text as it is (RFC 1951 3.2.4).
void append_stored_block(std::string& out, std::string_view text) {
  assert(text.size() <= 0xFFFF);
  out += '\0';
  for (const std::size_t length : {text.size(), ~text.size()}) {
    out += static_cast<char>(length);
    out += static_cast<char>(length >> 8);
  }
  out += text;
}

}  // namespace

Result<std::optional<SpdyEvent>> SpdyDecoder::feed(Bytes& input) {
  while (true) {
    if (start_size_ < kSpdyHeaderBytes) {
      start_size_ +=
          take_bytes(input, MutableBytes(start_).first<kSpdyHeaderBytes>().subspan(start_size_));
      if (start_size_ < kSpdyHeaderBytes) return std::nullopt;
      TRY_VOID(check_header());
      left_ = read_uint32(start_, 4) & kMaxSpdyPayloadBytes;
    }
    const std::optional<SpdyEvent> event = is_control() ? feed_control(input) : feed_data(input);
    if (event) return event;
    if (left_ > 0) return std::nullopt;
  }
}

Result<> SpdyDecoder::check_header() const {
  const bool is_valid = is_control() ? (read_uint32(start_, 0) >> 16 & 0x7FFF) == kVersion
                                     : read_uint32(start_, 0) != 0;
  if (is_valid) return {};
  return fail(ErrorCode::Unavailable, "the cluster sent something that is not SPDY/3.1");
}

std::optional<SpdyEvent> SpdyDecoder::feed_data(Bytes& input) {
  const Bytes part = input.first(std::min(left_, input.size()));
  input = input.subspan(part.size());
  left_ -= part.size();
  const bool is_whole = left_ == 0;
  if (is_whole) start_size_ = 0;
  const bool ends = is_whole && ends_stream();
  if (part.empty() && !ends) return std::nullopt;
  return SpdyData{.stream = read_uint32(start_, 0), .bytes = part, .ends_stream = ends};
}

std::optional<SpdyEvent> SpdyDecoder::feed_control(Bytes& input) {
  Bytes part = input.first(std::min(left_, input.size()));
  input = input.subspan(part.size());
  left_ -= part.size();
  start_size_ += take_bytes(part, MutableBytes(start_).subspan(start_size_));
  if (left_ > 0) return std::nullopt;
  const bool has_field = std::exchange(start_size_, 0) == start_.size();
  return has_field ? control_event() : std::nullopt;
}

std::optional<SpdyEvent> SpdyDecoder::control_event() const {
  const std::uint32_t field = read_uint32(start_, kSpdyHeaderBytes);
  switch (static_cast<ControlType>(read_uint32(start_, 0) & 0xFFFF)) {
    case ControlType::RstStream: return SpdyReset{field};
    case ControlType::Ping: return SpdyPing{field};
    case ControlType::SynReply:
    case ControlType::Headers:
      if (ends_stream()) return SpdyData{.stream = field, .bytes = {}, .ends_stream = true};
      return std::nullopt;
    default: return std::nullopt;  // SETTINGS, GOAWAY, WINDOW_UPDATE: nothing hangs on them here
  }
}

bool SpdyDecoder::is_control() const { return (byte_at(start_, 0) & kControlBit) != 0; }

bool SpdyDecoder::ends_stream() const { return (byte_at(start_, 4) & kFlagFin) != 0; }

std::array<std::byte, kSpdyHeaderBytes> spdy_data_header(SpdyStreamId stream, std::size_t bytes) {
  assert(bytes <= kMaxSpdyPayloadBytes);
  std::array<std::byte, kSpdyHeaderBytes> header;
  for (std::size_t i = 0; i < 4; ++i) {
    header[i] = static_cast<std::byte>(stream >> (24 - 8 * i));
    header[4 + i] = static_cast<std::byte>(bytes >> (24 - 8 * i));
  }
  return header;
}

std::string spdy_end(SpdyStreamId stream) {
  std::string frame;
  append_uint32(frame, stream);
  append_uint32(frame, kFlagFin << 24);
  return frame;
}

std::string spdy_ping(std::uint32_t id) {
  std::string body;
  append_uint32(body, id);
  return control_frame(ControlType::Ping, 0, body);
}

std::string SpdyOpener::syn_stream(SpdyStreamId stream, SpdyDirections directions, Fields fields) {
  std::string body;
  append_uint32(body, stream);
  append_uint32(body, 0);  // associated to no other stream
  body.append(2, '\0');    // priority and credential slot
  body += header_block(fields);
  const unsigned flags = directions == SpdyDirections::FromPeer ? kFlagFin : 0;
  return control_frame(ControlType::SynStream, flags, body);
}

std::string SpdyOpener::header_block(Fields fields) {
  std::string text;
  append_uint32(text, fields.size());
  for (const auto& [name, value] : fields) {
    append_text(text, name);
    append_text(text, value);
  }
  std::string block;
  // RFC 1950 2.2: deflate with a window of 32 KiB, and no dictionary that would have to be known.
  if (!std::exchange(begun_, true)) block = "\x78\x01";
  append_stored_block(block, text);
  append_stored_block(block, {});  // as Z_SYNC_FLUSH ends: what came before is to be handed out now
  return block;
}

}  // namespace sluice::backend::kubernetes
