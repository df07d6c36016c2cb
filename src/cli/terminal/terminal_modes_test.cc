#include "cli/terminal/terminal_modes.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

constexpr std::string_view kPlain = "\x1b[0m\x1b>\x1b(B";

std::string restoring(std::string_view output) {
  TerminalModes modes;
  modes.feed(output);
  TerminalModes by_byte;
  for (const char byte : output) by_byte.feed({&byte, 1});
  EXPECT_EQ(by_byte.restoring(), modes.restoring());
  return modes.restoring();
}

TEST(TerminalModes, PlainTextNeedsNothing) { EXPECT_EQ(restoring("hello\r\n[?25l"), ""); }

TEST(TerminalModes, ColoursAreEnded) { EXPECT_EQ(restoring("\x1b[31mred"), kPlain); }

TEST(TerminalModes, WhatWasChangedIsUndone) {
  EXPECT_EQ(restoring("\x1b[?1049h\x1b[?25l"), std::string("\x1b[?25h\x1b[?1049l").append(kPlain));
  EXPECT_EQ(restoring("\x1b[?1000;1006h"), std::string("\x1b[?1000l\x1b[?1006l").append(kPlain));
}

TEST(TerminalModes, WhatWasUndoneStays) {
  EXPECT_EQ(restoring("\x1b[?1049h\x1b[?25l x \x1b[?25h\x1b[?1049l"), kPlain);
}

TEST(TerminalModes, WhatIsNoModeIsPassedOver) {
  EXPECT_EQ(restoring("\x1b[?99999999999999999999h\x1b[?25x\x1b[25l\x1b[?9h"), kPlain);
  EXPECT_EQ(restoring("\x1b[?" + std::string(1000, '1') + "25l"), kPlain);
}

}  // namespace
}  // namespace sluice::cli
