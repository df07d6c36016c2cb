// Any bytes, in two pieces, and an end: no crash, and what is taken is never more than was offered.
#include <cstdint>
#include <cstdlib>

#include "http/response_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  sluice::http::ResponseParser parser(4096);
  std::string buffer(input.substr(0, size / 2));
  for (int round = 0; round < 2 && !parser.complete(); ++round) {
    const auto taken = parser.feed(buffer);
    if (!taken) return 0;
    if (*taken > buffer.size()) std::abort();
    buffer.erase(0, *taken);
    if (round == 0) buffer += input.substr(size / 2);
  }
  if (!parser.complete() && !parser.finish()) return 0;
  if (parser.complete() && parser.take().body.size() > 4096) std::abort();
  return 0;
}
