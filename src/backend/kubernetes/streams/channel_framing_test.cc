#include "backend/kubernetes/streams/channel_framing.h"

#include <gmock/gmock.h>

#include "backend/kubernetes/streams/port_framing_test_support.h"

namespace sluice::backend::kubernetes {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ChannelFraming, TheFirstMessageOfEachChannelIsThePort) {
  ChannelFraming framing;
  EXPECT_THAT(events_of(framing, "\0\x50\0"s), IsEmpty());
  EXPECT_THAT(events_of(framing, "\x01\x50\0"s), IsEmpty());
  EXPECT_THAT(events_of(framing, "\0hello"s), ElementsAre("hello"));
  EXPECT_THAT(events_of(framing, "\x01oops"s), ElementsAre("trouble oops"));
}

TEST(ChannelFraming, MessagesMayComeInPieces) {
  ChannelFraming framing;
  EXPECT_THAT(events_of(framing, "\0\x50"s, EndsMessage::No), IsEmpty());
  EXPECT_THAT(events_of(framing, "\0"s), IsEmpty());
  EXPECT_THAT(events_of(framing, "\0hel"s, EndsMessage::No), ElementsAre("hel"));
  EXPECT_THAT(events_of(framing, "lo"), ElementsAre("lo"));
}

TEST(ChannelFraming, EmptyMessagesAndUnknownChannelsTellNothing) {
  ChannelFraming framing;
  for (const std::string& message : {"\0\x50\0"s, ""s, "\0"s, "\x07what"s}) {
    EXPECT_THAT(events_of(framing, message), IsEmpty());
  }
}

TEST(ChannelFraming, BytesGoOutBehindTheDataChannel) {
  ChannelFraming framing;
  EXPECT_EQ(as_text(framing.header(1000)), "\0"s);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
