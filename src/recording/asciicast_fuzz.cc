// What `sluice replay` reads: no file may trip a sanitizer, and what is understood of it reads back
// the same. The same bytes as what a session prints: cut anywhere, the same is played.
#include <cstdlib>

#include "base/text.h"
#include "recording/asciicast_encoder.h"

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  using namespace sluice::recording;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (const auto header = parse_header(line)) {
      require(parse_header(format_header(*header)) == *header);
    }
    const auto event = parse_event(line);
    if (!event || event->type == EventType::Other) continue;
    std::string again;
    append_event(again, event->time, event->type, event->text);
    require(parse_event(again) == *event);
  }

  const std::size_t cut = size == 0 ? 0 : data[0] % size;
  Utf8Joiner whole;
  Utf8Joiner pieces;
  std::string text_of_whole;
  std::string text_of_pieces;
  whole.append(text, text_of_whole);
  whole.finish(text_of_whole);
  pieces.append(text.substr(0, cut), text_of_pieces);
  pieces.append(text.substr(cut), text_of_pieces);
  pieces.finish(text_of_pieces);
  require(text_of_whole == text_of_pieces && is_utf8(text_of_whole));
  return 0;
}
