// Reader: stored log lines in, lines as they are sent out, without copying them. Bytes in, pieces
// out: it reads no file and waits for nothing. The formats:
//
//   Cri      "<RFC 3339> stdout|stderr F|P[:…] <text>\n": containerd, CRI-O, ours
//
//   Stamped  "<RFC 3339> <text>\n": the Kubernetes API with timestamps=true
//
// P parts are joined per channel: a line comes out when its end has come, or finish() was called. A
// line in neither format is no reason to lose it: it comes out as it is, and `since` treats it like
// the line before it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "loglines/piece.h"
#include "loglines/record.h"
#include "loglines/stamp.h"

namespace sluice::loglines {

enum class Timestamps { Strip, Keep };

struct ReaderOptions {
  Format format = Format::Cri;
  Timestamps timestamps = Timestamps::Strip;  // Keep: "<RFC 3339 nano UTC> <line>"
  std::optional<WallTime> since;              // lines that begin at or after it
  std::optional<std::uint64_t> limit_bytes;   // of text as sent; cuts a line
  /// Records of a channel that begin before so many bytes were fed are left out (TailFinder).
  std::array<std::uint64_t, kChannels> skip_bytes{};
};

class Reader {
 public:
  /// A line longer than this comes in several pieces. Meanwhile lines of the other channel wait, up
  /// to as many bytes again; then the long line is ended where it is and goes on as a line of its
  /// own.
  static constexpr std::size_t kMaxLineBytes = 1 << 20;
  /// A record longer than this may be consumed before its end has come. A caller that can't offer
  /// more of a record than it did must therefore be able to offer this much.
  static constexpr std::size_t kLongRecordBytes = 64 << 10;
  /// The least room for pieces that feed() and finish() can work with.
  static constexpr std::size_t kMinPieces = 4;

  struct Progress {
    std::size_t consumed = 0;  // bytes of the block; offer the rest again, with what follows it
    std::size_t pieces = 0;    // how many of `into` were filled
  };

  explicit Reader(const ReaderOptions& options);
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  /// Takes records from `block`, whose bytes it may move. Ends early when `into` is full, or when
  /// the block's last record is incomplete. Pieces are valid until the next call, and while `block`
  /// is.
  Progress feed(std::span<char> block, std::span<Piece> into);
  /// Nothing follows `rest` (what feed() did not consume): it, and lines without an end, come out,
  /// the latter without '\n'. Call again, with the unconsumed rest, until it yields no piece.
  Progress finish(std::span<char> rest, std::span<Piece> into);

  /// limit_bytes have been yielded: there is no more.
  bool limit_reached() const { return limit_reached_; }

 private:
  class Output;
  struct Joining;

  template <Format kFormat, Timestamps kTimestamps, bool kSince>
  char* read_plain_lines(char* at, char* end, Output& out);
  char* dispatch_plain_lines(char* at, char* end, Output& out);
  char* read_record(char* at, char* end, Output& out);
  char* continue_record(char* at, char* end, Output& out);
  void take(const Record& record, std::string_view text, Output& out);
  void take_line(const Record& record, std::string_view text, Output& out);
  void begin_line(const Record& record);
  void add_text(std::size_t channel, std::string_view text, Output& out);
  void end_line(std::size_t channel, std::string_view text, Output& out);
  void hold(std::string_view line, Output& out);
  void end_streaming(Output& out);
  void yield(std::string_view text, bool ends_line, Output& out);
  void yield_stored(std::vector<char>& text, Output& out);
  bool yield_held(Output& out);
  std::string_view stamped(const Record& record, std::string_view text);
  bool is_before_since(const Record& record);
  Joining& joining();
  void update_slow_channels();

  Format format_;
  Timestamps timestamps_;
  bool limit_reached_ = false;
  bool has_since_ = false;
  bool last_was_dropped_ = false;
  std::uint8_t slow_channels_ = 0;  // bit per channel whose lines are not plain now
  std::array<char, kStampBytes> since_text_{};
  WallTime since_{};
  std::uint64_t remaining_;  // of limit_bytes
  std::uint64_t fed_ = 0;    // bytes consumed so far
  std::array<std::uint64_t, kChannels> skip_bytes_;
  std::unique_ptr<Joining> joining_;  // made when the first line in parts comes
};

}  // namespace sluice::loglines
