#include "recording/asciicast_encoder.h"

#include <rapidcheck.h>

#include <gtest/gtest.h>

namespace sluice::recording {
namespace {

using namespace std::chrono_literals;

/// The text of all events of a type.
std::string text_of(std::string_view lines, EventType type) {
  std::string text;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const Result<Event> event = parse_event(lines.substr(0, end));
    EXPECT_TRUE(event);
    if (event && event->type == type) text += event->text;
    lines.remove_prefix(end + 1);
  }
  return text;
}

TEST(AsciicastEncoder, BothOutputsAreOutputEachWithItsOwnSequences) {
  AsciicastEncoder encoder;
  std::string lines;
  encoder.add_bytes(1ms, Stream::Stdout, "a\xE2\x82", lines);
  encoder.add_bytes(2ms, Stream::Stderr, "e\xC3", lines);
  encoder.add_bytes(3ms, Stream::Input, "i", lines);
  encoder.add_bytes(4ms, Stream::Stdout, "\xAC", lines);
  encoder.add_bytes(5ms, Stream::Stderr, "\xA9", lines);
  EXPECT_EQ(lines,
            "[0.001000, \"o\", \"a\"]\n[0.002000, \"o\", \"e\"]\n[0.003000, \"i\", \"i\"]\n"
            "[0.004000, \"o\", \"€\"]\n[0.005000, \"o\", \"é\"]\n");
}

TEST(AsciicastEncoder, BytesThatMakeNothingWholeMakeNoEvent) {
  AsciicastEncoder encoder;
  std::string lines;
  encoder.add_bytes(1ms, Stream::Stdout, "\xE2", lines);
  EXPECT_EQ(lines, "");
  encoder.finish(2ms, lines);
  EXPECT_EQ(lines, "[0.002000, \"o\", \"\uFFFD\"]\n");
}

TEST(AsciicastEncoder, WhereverOutputIsCutTheSameIsPlayed) {
  EXPECT_TRUE(rc::check([](const std::string& bytes, const std::vector<std::uint8_t>& cuts) {
    AsciicastEncoder whole;
    AsciicastEncoder cut;
    std::string lines_of_whole;
    std::string lines_of_cut;
    whole.add_bytes(0ms, Stream::Stdout, bytes, lines_of_whole);
    whole.finish(0ms, lines_of_whole);
    std::string_view rest = bytes;
    for (const std::uint8_t size : cuts) {
      cut.add_bytes(0ms, Stream::Stdout, rest.substr(0, size), lines_of_cut);
      rest.remove_prefix(std::min<std::size_t>(size, rest.size()));
    }
    cut.add_bytes(0ms, Stream::Stdout, rest, lines_of_cut);
    cut.finish(0ms, lines_of_cut);
    RC_ASSERT(text_of(lines_of_cut, EventType::Output) ==
              text_of(lines_of_whole, EventType::Output));
  }));
}

}  // namespace
}  // namespace sluice::recording
