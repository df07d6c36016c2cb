// Any bytes, in two pieces, and an end: no crash, what is taken is never more than was offered, and
// the body is part of it.
#include <cstdint>
#include <cstdlib>

#include "http/response_parser.h"

namespace {

/// Feeds until nothing more is taken. False: the parser refused.
bool feed_all(sluice::http::ResponseParser& parser, std::string& buffer) {
  while (!parser.complete()) {
    const auto taken = parser.feed(buffer);
    if (!taken) return false;
    const std::string_view body = parser.body();
    if (*taken > buffer.size() || body.size() > *taken) std::abort();
    const bool outside =
        body.data() < buffer.data() || body.data() + body.size() > buffer.data() + *taken;
    if (!body.empty() && outside) std::abort();
    if (*taken == 0) return true;
    buffer.erase(0, *taken);
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  sluice::http::ResponseParser parser;
  std::string buffer(input.substr(0, size / 2));
  if (!feed_all(parser, buffer)) return 0;
  buffer += input.substr(size / 2);
  if (!feed_all(parser, buffer)) return 0;
  if (!parser.complete() && !parser.finish()) return 0;
  if (parser.take_head().status > 999) std::abort();
  return 0;
}
