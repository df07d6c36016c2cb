#include "backend/kubernetes/logs/gunzip.h"

#include <rapidcheck.h>

#include <gtest/gtest.h>

#include "backend/kubernetes/logs/gunzip_test_support.h"
#include "base/text.h"

namespace sluice::backend::kubernetes {
namespace {

/// What comes out when the input comes in pieces, into a block of that size. Errors: Gunzip's;
/// Conflict: it is not complete.
Result<std::string> inflate(std::string_view compressed, std::size_t piece, std::size_t room) {
  Gunzip gunzip;
  std::string out;
  std::vector<std::byte> block(room);
  while (true) {
    Bytes input = as_bytes(compressed.substr(0, piece));
    const std::size_t offered = input.size();
    TRY(const std::size_t count, gunzip.inflate(input, block));
    out += as_text(Bytes(block).first(count));
    const std::size_t used = offered - input.size();
    compressed.remove_prefix(used);
    if (count == 0 && used == 0) break;
  }
  if (!gunzip.complete()) return fail(ErrorCode::Conflict, "incomplete");
  return out;
}

TEST(Gunzip, AnyTextComesBackHoweverItIsCutUp) {
  EXPECT_TRUE(rc::check([](std::string text, std::uint8_t piece, std::uint8_t room) {
    if (!text.empty()) text += std::string(text.size() * 40, text.front());
    const Result<std::string> inflated = inflate(gzip(text), piece + 1U, room + 1U);
    RC_ASSERT(inflated.has_value());
    RC_ASSERT(*inflated == text);
  }));
}

TEST(Gunzip, JoinedFilesAreOne) {
  EXPECT_EQ(inflate(gzip("one ") + gzip("") + gzip("two"), 1000, 1000), "one two");
}

TEST(Gunzip, FileThatIsCutShortAnywhereIsNotComplete) {
  const std::string whole = gzip("some text, and the same text, and the same text again");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto inflated = inflate(whole.substr(0, size), 7, 9);
    ASSERT_FALSE(inflated) << size;
    EXPECT_EQ(inflated.error().code, ErrorCode::Conflict);
  }
}

TEST(Gunzip, ChangedByteIsNoticed) {
  constexpr std::string_view kText = "some text, and the same text, and the same text again";
  const std::string whole = gzip(kText);
  constexpr std::size_t kHeaderBytes = 10;  // holds a time and an origin that nobody checks
  for (std::size_t at = kHeaderBytes; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    const auto inflated = inflate(changed, 1000, 1000);
    EXPECT_TRUE(!inflated || *inflated == kText) << at;  // some bits fill up a byte
  }
  EXPECT_EQ(inflate("no gzip at all", 100, 100).error().code, ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
