#include "backend/kubernetes/cache/watch_decoder.h"

#include <gmock/gmock.h>

namespace sluice::backend::kubernetes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kEvents = R"({"type":"ADDED","object":{"metadata":{"name":"a"}}})"
                            "\n"
                            R"({"type":"MODIFIED","object":{"metadata":{"name":"b"}}})"
                            "\r\n\n"
                            R"({"type":"DELETED","object":{"metadata":{"name":"c"}}})"
                            "\n"
                            R"({"type":"BOOKMARK","object":{"metadata":{"name":"d"}}})"
                            "\n"
                            R"({"type":"ERROR","object":{"metadata":{"name":"e"}}})"
                            "\n";

/// "0a": type and name of each event that is whole; the message of the error that ends them.
std::vector<std::string> drain(WatchDecoder& decoder) {
  std::vector<std::string> events;
  while (true) {
    const auto event = decoder.next();
    if (!event) events.push_back(event.error().message);
    if (!event || !*event) return events;
    const json::object& meta = (*event)->object.at("metadata").get_object();
    events.push_back(std::to_string(static_cast<int>((*event)->type)) +
                     std::string(*json::find_string(meta, "name")));
  }
}

std::vector<std::string> decode(std::string_view text) {
  WatchDecoder decoder;
  decoder.feed(as_bytes(text));
  return drain(decoder);
}

TEST(WatchDecoder, EachLineIsAnEvent) {
  EXPECT_THAT(decode(kEvents), ElementsAre("0a", "1b", "2c", "3d", "4e"));
}

TEST(WatchDecoder, EventsComeWholeHoweverTheBytesAreSplit) {
  for (std::size_t piece = 1; piece <= kEvents.size(); ++piece) {
    WatchDecoder decoder;
    std::vector<std::string> events;
    for (std::size_t at = 0; at < kEvents.size(); at += piece) {
      decoder.feed(as_bytes(std::string_view(kEvents).substr(at, piece)));
      for (std::string& event : drain(decoder)) events.push_back(std::move(event));
    }
    EXPECT_THAT(events, ElementsAre("0a", "1b", "2c", "3d", "4e")) << piece;
  }
}

TEST(WatchDecoder, HalfAnEventIsNone) {
  for (std::size_t cut = 0; cut < kEvents.size(); ++cut) {
    WatchDecoder decoder;
    decoder.feed(as_bytes(std::string_view(kEvents).substr(0, cut)));
    const std::size_t whole = drain(decoder).size();
    decoder.feed(as_bytes(std::string_view(kEvents).substr(cut)));
    EXPECT_EQ(whole + drain(decoder).size(), 5U) << cut;
  }
}

TEST(WatchDecoder, EventOfAnUnknownTypeIsPassedOver) {
  EXPECT_THAT(
      decode("{\"type\":\"NEW\",\"object\":{}}\n" + kEvents.substr(0, kEvents.find('\n') + 1)),
      ElementsAre("0a"));
}

TEST(WatchDecoder, WhatIsNoEventBreaksTheWatch) {
  for (const char* line :
       {"x", "[]", "{}", R"({"type":"ADDED"})", R"({"type":"ADDED","object":[]})",
        R"({"type":7,"object":{}})", R"({"type":"ADDED","object":{"a":1,"a":2}})"}) {
    EXPECT_THAT(decode(std::string(line) + "\n"), ElementsAre(HasSubstr("malformed watch event")))
        << line;
  }
}

TEST(WatchDecoder, LineWithoutAnEndIsBounded) {
  WatchDecoder decoder;
  const std::string block(1_MiB, 'x');
  for (std::size_t size = 0; size < WatchDecoder::kMaxEventBytes; size += block.size()) {
    decoder.feed(as_bytes(block));
    EXPECT_THAT(drain(decoder), IsEmpty());
  }
  decoder.feed(as_bytes(block));
  EXPECT_THAT(drain(decoder), ElementsAre("malformed watch event: too large"));
}

TEST(WatchDecoder, EventThatIsTooLargeIsRefusedAlsoWhereItComesWhole) {
  const std::string event = kEvents.substr(0, kEvents.find('\n') + 1);
  for (const std::size_t missing : {0U, 1U}) {
    WatchDecoder decoder(event.size() - 1 - missing);
    decoder.feed(as_bytes(event));
    EXPECT_THAT(drain(decoder),
                ElementsAre(missing == 0 ? "0a" : "malformed watch event: too large"));
  }
}

TEST(WatchDecoder, LargeObjectIsAnEvent) {
  const std::string large(3_MiB, 'x');
  const std::string line = R"({"type":"ADDED","object":{"metadata":{"name":")" + large + "\"}}}\n";
  const auto events = decode(line);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].size(), large.size() + 1);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
