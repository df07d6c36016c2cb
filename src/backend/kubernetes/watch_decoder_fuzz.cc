// What an API server, or something that calls itself one, sends on a watch: the events are the same
// however the bytes are split, and what comes out can be read as records.
#include <cstdlib>

#include "backend/kubernetes/records.h"
#include "backend/kubernetes/watch_decoder.h"

namespace {

using namespace sluice;
using namespace sluice::backend::kubernetes;

/// Reads what is whole by now; false: the watch has broken.
bool drain(WatchDecoder& decoder, std::string& seen) {
  while (true) {
    const auto event = decoder.next();
    if (!event) seen += event.error().message;
    if (!event || !*event) return event.has_value();
    const json::object& object = (*event)->object.get_object();
    seen += read_pod(object, {"app"}).name + read_resource_version(object) + "\n";
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string whole;
  WatchDecoder decoder;
  decoder.feed(as_bytes(text));
  drain(decoder, whole);
  const std::size_t piece = size == 0 ? 1 : data[0] % 7 + 1U;
  std::string in_pieces;
  WatchDecoder other;
  for (std::size_t at = 0; at < size; at += piece) {
    other.feed(as_bytes(text.substr(at, piece)));
    if (!drain(other, in_pieces)) break;
  }
  if (whole != in_pieces) std::abort();
  return 0;
}
