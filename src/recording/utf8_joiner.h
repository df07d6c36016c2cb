// Utf8Joiner: bytes that come cut anywhere, as UTF-8 text (RFC 3629). However they are cut, the
// text is the same.
#pragma once

#include <string>
#include <string_view>

namespace sluice::recording {

class Utf8Joiner {
 public:
  /// Appends the text of these bytes. A sequence that may go on is kept back; each byte that
  /// belongs to none becomes U+FFFD.
  void append(std::string_view bytes, std::string& text);
  /// No more comes: neither does the rest of what was kept back.
  void finish(std::string& text);

 private:
  std::string held_;  // the beginning of a sequence: at most three bytes
};

}  // namespace sluice::recording
