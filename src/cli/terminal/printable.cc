#include "cli/terminal/printable.h"

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::cli {
namespace {

void append_escaped(std::string& out, std::string_view sequence) {
  if (sequence == "\n") {
    out += "\\n";
  } else if (sequence == "\r") {
    out += "\\r";
  } else if (sequence == "\t") {
    out += "\\t";
  } else {
    for (const char byte : sequence) out += fmt::format("\\x{:02x}", byte & 0xFF);
  }
}

bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  // C1, U+0080 to U+009F: terminals take them as they do ESC and a letter (ECMA-48 5.3).
  return sequence.size() == 2 && first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

/// 0: it is none. Line and paragraph separators, and Unicode's marks of direction (UAX 9 2).
int invisible_mark(std::string_view sequence) {
  const bool is_general_punctuation = sequence.size() == 3 && sequence[0] == '\xe2';
  if (!is_general_punctuation || (sequence[1] != '\x80' && sequence[1] != '\x81')) return 0;
  const int mark = 0x2000 + (sequence[1] & 0x3F) * 0x40 + (sequence[2] & 0x3F);
  const bool is_line = mark == 0x2028 || mark == 0x2029;
  const bool is_direction = mark == 0x200E || mark == 0x200F ||
                            (mark >= 0x202A && mark <= 0x202E) ||
                            (mark >= 0x2066 && mark <= 0x2069);
  return is_line || is_direction ? mark : 0;
}

std::string escape(std::string_view text, std::string_view kept) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
    text.remove_prefix(sequence.size());
    const bool is_kept = kept == sequence;
    if (const int mark = length == 0 ? 0 : invisible_mark(sequence)) {
      out += fmt::format("\\u{:04x}", mark);
    } else if (!is_kept && (length == 0 || is_control(sequence))) {
      append_escaped(out, sequence);
    } else {
      out += sequence;
    }
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text) { return escape(text, {}); }

std::string printable_lines(std::string_view text) { return escape(text, "\n"); }

}  // namespace sluice::cli
