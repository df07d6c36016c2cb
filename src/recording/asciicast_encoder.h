// AsciicastEncoder: what a session carries, as the event lines of its asciicast. Bytes become
// UTF-8, for each stream by itself, so a sequence may be cut anywhere.
#pragma once

#include <string>
#include <string_view>

#include "recording/asciicast.h"
#include "recording/utf8_joiner.h"

namespace sluice::recording {

/// Where bytes came from. Both outputs are events of the same type.
enum class Stream { Stdout, Stderr, Input };

class AsciicastEncoder {
 public:
  /// Times don't decrease from call to call. Each appends to `lines` what can be told by then.
  void add_bytes(nanoseconds time, Stream stream, std::string_view bytes, std::string& lines);
  /// A Resize or a Marker.
  void add_text(nanoseconds time, EventType type, std::string_view text, std::string& lines);
  /// What was kept back of sequences that will not become whole.
  void finish(nanoseconds time, std::string& lines);

 private:
  Utf8Joiner& joiner_of(Stream stream);

  Utf8Joiner stdout_;
  Utf8Joiner stderr_;
  Utf8Joiner input_;
  std::string text_;  // keeps its memory from call to call
};

}  // namespace sluice::recording
