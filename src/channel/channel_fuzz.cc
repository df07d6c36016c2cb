// Kubernetes channels as a client may send them: the same messages mean the same however they are
// cut.
#include <cstdlib>
#include <string>

#include "channel/channel_pair.h"
#include "channel/remote_command.h"

namespace {

using namespace sluice;
using namespace sluice::channel;

/// Each message: a length byte and so many bytes; `cut` bytes come first.
std::string read(std::string text, std::size_t cut) {
  ClientInputReader reader(Version::V5);
  std::string seen;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto length = static_cast<std::uint8_t>(text[at++]);
    const std::size_t size = std::min<std::size_t>(length, text.size() - at);
    const MutableBytes message(reinterpret_cast<std::byte*>(text.data() + at), size);
    at += size;
    const std::size_t first = std::min(cut, size);
    for (const bool ends : {false, true}) {
      const auto input = reader.feed(ends ? message.subspan(first) : message.first(first), ends);
      if (!input) return seen + "error";
      if (const auto* data = std::get_if<StdinData>(&*input)) seen += as_text(data->bytes);
      if (std::holds_alternative<StdinEnd>(*input)) seen += "end";
      if (const auto* window = std::get_if<TerminalSize>(&*input)) {
        seen += format_terminal_size(*window);
      }
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string whole = read(text, 255);
  for (std::size_t cut = 0; cut < 8; ++cut) {
    if (read(text, cut) != whole) std::abort();
  }
  (void)parse_status(text);
  if (const auto port = parse_port_announcement(as_bytes(text))) {
    if (as_text(Bytes(port_announcement(0, *port)).subspan(1)) != text) std::abort();
  }
  return 0;
}
