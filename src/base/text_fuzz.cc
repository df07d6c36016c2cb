// The parsers of small texts and of JSON: no input may trip a sanitizer, and what they accept reads
// back.
#include <cstdlib>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  if (const auto duration = parse_duration(text)) {
    require(parse_duration(format_duration(*duration)) == duration);
  }
  if (const auto time = parse_rfc3339(text)) {
    require(parse_rfc3339(format_rfc3339_nano(*time)) == time);
  }
  if (const auto bytes = base64url_decode(text)) {
    require(base64url_encode(as_bytes(*bytes)) == text);
  }
  if (const auto bytes = base64_decode_any(text)) {
    require(base64_decode_any(base64_encode(as_bytes(*bytes))) == bytes);
  }
  if (const auto value = json::parse(text)) {
    const std::string written = json::serialize(*value);
    require(is_utf8(written));
    // Boost reads doubles to 17 digits, not always to the nearest: those may not read back the
    // same.
    const bool has_doubles = written.find_first_of(".E") != std::string::npos;
    require(has_doubles || json::parse(written) == value);
  }
  const bool valid = is_utf8(text);
  for (std::size_t limit = 0; limit <= size && limit < 16; ++limit) {
    require(!valid || is_utf8(truncate_utf8(text, limit)));
  }
  require(!is_dns_label(text) || is_dns_subdomain(text));
  return 0;
}
