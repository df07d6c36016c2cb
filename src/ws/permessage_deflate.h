// permessage-deflate (RFC 7692): its negotiation, and the two directions of compression, without
// I/O.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "ws/handshake.h"

struct z_stream_s;  // zlib's

namespace sluice::ws {

class OutputBuffer;

/// RFC 7692 7.1.2: windows are of 2^8 to 2^15 bytes, the largest unless agreed otherwise.
inline constexpr int kMinWindowBits = 8;
inline constexpr int kMaxWindowBits = 15;

enum class ContextTakeover { Keep, Drop };

/// What was agreed for one direction: who compresses may use this window, and must or need not
/// forget it after each message.
struct DeflateDirection {
  int window_bits = kMaxWindowBits;
  ContextTakeover takeover = ContextTakeover::Keep;
  bool operator==(const DeflateDirection&) const = default;
};

struct DeflateParameters {
  DeflateDirection server;  // what the server compresses
  DeflateDirection client;
  bool operator==(const DeflateParameters&) const = default;
};

/// Server: the first offer in Sec-WebSocket-Extensions that can be met; nullopt: go on
/// uncompressed.
std::optional<DeflateParameters> negotiate_deflate(const FieldValues& offered);
/// The value of Sec-WebSocket-Extensions that accepts an offer with these parameters.
std::string format_deflate(const DeflateParameters& parameters);

/// Client: what to offer, and what the server made of it; nullopt: it declined.
/// Errors: Unavailable when it agreed to what was not offered.
inline constexpr std::string_view kDeflateOffer = "permessage-deflate; client_max_window_bits";
Result<std::optional<DeflateParameters>> accepted_deflate(const FieldValues& extensions);

/// Compresses the messages of one direction.
class Deflater final {
 public:
  explicit Deflater(DeflateDirection direction);
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  /// Appends the payload of one frame: a message, or a fragment of one that is not `final`.
  void compress(Bytes payload, bool final, OutputBuffer& out);

 private:
  std::unique_ptr<z_stream_s> stream_;
  ContextTakeover takeover_;
};

/// Decompresses the messages of one direction, piece by piece, into room that the caller chooses: a
/// small input that unfolds to gigabytes needs no more memory than that.
class Inflater final {
 public:
  struct Step {
    std::size_t consumed = 0;  // of `input`
    std::size_t produced = 0;  // in `room`
    /// Call again (with the rest of the input, or with none) before bringing more.
    bool more = false;
  };

  explicit Inflater(DeflateDirection direction);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// `ends_message`: `input` is the message's last. Errors: InvalidArgument: not DEFLATE data
  /// (1007).
  Result<Step> decompress(Bytes input, bool ends_message, MutableBytes room);

 private:
  Result<std::size_t> inflate_some(Bytes input);

  std::unique_ptr<z_stream_s> stream_;
  ContextTakeover takeover_;
  std::size_t tail_sent_ = 0;  // bytes of the 00 00 FF FF that the sender cut off (RFC 7692 7.2.1)
};

}  // namespace sluice::ws
