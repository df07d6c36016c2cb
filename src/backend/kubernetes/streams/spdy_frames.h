// SPDY/3.1 frames without I/O: the part of it that a port-forward takes. Header blocks that we send
// are stored, not compressed, in the zlib stream that the protocol asks for; those that we receive
// are skipped, since nothing in them is of use. So neither deflate nor the dictionary is needed.
// Sources: moby/spdystream spdy/{types,read,write}.go; SPDY draft 3.1, 2.2 and 2.6.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::backend::kubernetes {

inline constexpr std::size_t kSpdyHeaderBytes = 8;
/// What the length field of a frame can say.
inline constexpr std::size_t kMaxSpdyPayloadBytes = 0xFFFFFF;

using SpdyStreamId = std::uint32_t;

/// Part of what a DATA frame carries, as it came: an empty part only tells the stream's end.
struct SpdyData {
  SpdyStreamId stream = 0;
  Bytes bytes;  // lie in the input
  bool ends_stream = false;
};
struct SpdyReset {
  SpdyStreamId stream = 0;
};
struct SpdyPing {
  std::uint32_t id = 0;
};
using SpdyEvent = std::variant<SpdyData, SpdyReset, SpdyPing>;

class SpdyDecoder final {
 public:
  /// Takes bytes off the front of `input` up to the next event; nullopt: they are used up. Frames
  /// that tell nothing of the above are skipped.
  /// Errors: Unavailable: the peer broke the protocol; nothing can follow.
  Result<std::optional<SpdyEvent>> feed(Bytes& input);

 private:
  static constexpr std::size_t kBodyBytes = 4;  // a control frame's first field: stream or ping

  Result<> check_header() const;
  std::optional<SpdyEvent> feed_data(Bytes& input);
  std::optional<SpdyEvent> feed_control(Bytes& input);
  std::optional<SpdyEvent> control_event() const;

  bool is_control() const;
  bool ends_stream() const;

  // The frame under way: its header, the start of a control frame's body, and what is left of it.
  std::array<std::byte, kSpdyHeaderBytes + kBodyBytes> start_{};
  std::size_t start_size_ = 0;
  std::size_t left_ = 0;
};

/// What stands before so many bytes of a stream, at most kMaxSpdyPayloadBytes.
std::array<std::byte, kSpdyHeaderBytes> spdy_data_header(SpdyStreamId stream, std::size_t bytes);
/// An empty frame that ends our direction of the stream.
std::string spdy_end(SpdyStreamId stream);
std::string spdy_ping(std::uint32_t id);

enum class SpdyDirections {
  Both,
  FromPeer,  // we send nothing on it
};

/// Opens streams. One a connection: the header blocks of all of them are one zlib stream.
class SpdyOpener final {
 public:
  using Fields = std::span<const std::pair<std::string_view, std::string_view>>;

  /// A whole SYN_STREAM. Names are in lower case; all fields together have less than 64 KiB.
  std::string syn_stream(SpdyStreamId stream, SpdyDirections directions, Fields fields);

 private:
  std::string header_block(Fields fields);

  bool begun_ = false;
};

}  // namespace sluice::backend::kubernetes
