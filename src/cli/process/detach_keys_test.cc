#include "cli/process/detach_keys.h"

#include <gmock/gmock.h>

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;

TEST(DetachKeys, AreHeldBackUntilTheyAreNotMeant) {
  DetachKeys keys = *DetachKeys::parse("ctrl-p,ctrl-q");
  EXPECT_EQ(keys.feed(as_bytes("a\x10")).bytes, "a");
  const auto other = keys.feed(as_bytes("b"));
  EXPECT_EQ(other.bytes,
            "\x10"
            "b");
  EXPECT_FALSE(other.detach);
  EXPECT_EQ(keys.feed(as_bytes("\x10\x10")).bytes, "\x10");
  EXPECT_TRUE(keys.feed(as_bytes("\x11")).detach);
}

TEST(DetachKeys, NoneMeansNone) {
  DetachKeys keys = *DetachKeys::parse("");
  const auto typed = keys.feed(as_bytes("\x10\x11"));
  EXPECT_EQ(typed.bytes, "\x10\x11");
  EXPECT_FALSE(typed.detach);
}

TEST(DetachKeys, LettersAndControls) {
  DetachKeys keys = *DetachKeys::parse("ctrl-],q");
  EXPECT_TRUE(keys.feed(as_bytes("\x1dq")).detach);
  EXPECT_THAT(DetachKeys::parse("ctrl-p,alt-x").error().message, HasSubstr("alt-x"));
  EXPECT_FALSE(DetachKeys::parse("ctrl-p,"));
}

}  // namespace
}  // namespace sluice::cli
