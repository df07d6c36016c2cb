#include "recording/asciicast.h"

#include <rapidcheck.h>

#include <gmock/gmock.h>

#include "base/json.h"

namespace sluice::recording {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string line(nanoseconds time, EventType type, std::string_view text) {
  std::string lines;
  append_event(lines, time, type, text);
  return lines;
}

std::string header_error(std::string_view text) {
  const Result<Header> header = parse_header(text);
  return header ? "no error" : header.error().message;
}

std::string event_error(std::string_view text) {
  const Result<Event> event = parse_event(text);
  return event ? "no error" : event.error().message;
}

TEST(Asciicast, HeaderIsOneLineOfJson) {
  const Header header{90, 20, 1'767'225'600, "sh -c 'x\n'", "exec by \"alice\""};
  EXPECT_EQ(format_header(header),
            R"({"version":2,"width":90,"height":20,"timestamp":1767225600,"command":"sh -c 'x\n'",)"
            R"("title":"exec by \"alice\"","env":{}})"
            "\n");
  EXPECT_EQ(parse_header(format_header(header)), header);
}

TEST(Asciicast, HeaderLeavesOutWhatIsNotKnown) {
  EXPECT_EQ(format_header({}), "{\"version\":2,\"width\":80,\"height\":24,\"env\":{}}\n");
}

TEST(Asciicast, EventIsOneLineWhateverItHolds) {
  EXPECT_EQ(line(1500ms, EventType::Output, "h\r\n\x1b[0m\"é"),
            "[1.500000, \"o\", \"h\\r\\n\\u001b[0m\\\"é\"]\n");
  EXPECT_EQ(line(0ns, EventType::Resize, "90x20"), "[0.000000, \"r\", \"90x20\"]\n");
}

TEST(Asciicast, EveryCharacterReadsBack) {
  for (int byte = 0; byte < 0x80; ++byte) {
    const std::string text = std::string("a") + static_cast<char>(byte) + "b\u00e9";
    const auto value = json::parse(line(0ns, EventType::Output, text));
    ASSERT_TRUE(value) << byte;
    EXPECT_EQ(value->as_array().at(2).as_string(), text);
  }
}

TEST(Asciicast, EventsReadBackAsTheyWereWritten) {
  EXPECT_TRUE(rc::check([](std::uint32_t microseconds, const std::string& bytes) {
    std::string text;
    for (const char byte : bytes) text += static_cast<char>(byte & 0x7f);
    const Event event{std::chrono::microseconds(microseconds), EventType::Input, text};
    const Result<Event> read = parse_event(line(event.time, event.type, event.text));
    RC_ASSERT(read && *read == event);
  }));
}

TEST(Asciicast, EventsOfOthersAreRead) {
  const Result<Event> whole = parse_event(R"([1, "o", "x"])");
  EXPECT_EQ(whole->time, 1s);
  EXPECT_EQ(parse_event(R"([1e-3,"x","y"])")->type, EventType::Other);
  EXPECT_EQ(parse_event(R"([2, "oo", ""])")->type, EventType::Other);
}

TEST(Asciicast, ErrorsSayWhatIsWrong) {
  EXPECT_THAT(header_error(""), HasSubstr("not an asciicast"));
  EXPECT_THAT(header_error("[2]"), HasSubstr("not an asciicast"));
  EXPECT_THAT(header_error(R"({"version":1,"width":80,"height":24,"stdout":[]})"),
              HasSubstr("version 1; only version 2"));
  EXPECT_THAT(header_error(R"({"version":2,"width":80})"), HasSubstr("no height of 1 to 65535"));
  EXPECT_THAT(header_error(R"({"version":2,"width":70000,"height":1})"), HasSubstr("no width"));
  EXPECT_THAT(event_error(R"({"a":1})"), HasSubstr("no event"));
  EXPECT_THAT(event_error(R"([1,"o"])"), HasSubstr("no event"));
  EXPECT_THAT(event_error(R"([1,"o",2])"), HasSubstr("no event"));
  for (const char* time : {"-1", "1e300", "\"1\"", "null", "18446744073709551615"}) {
    EXPECT_THAT(event_error("[" + std::string(time) + R"(,"o",""])"), HasSubstr("its time"));
  }
}

}  // namespace
}  // namespace sluice::recording
