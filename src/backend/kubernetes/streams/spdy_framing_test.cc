#include "backend/kubernetes/streams/spdy_framing.h"

#include <gmock/gmock.h>

#include "backend/kubernetes/streams/port_framing_test_support.h"

namespace sluice::backend::kubernetes {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string kReset = "\x80\x03\0\x03\0\0\0\x08\0\0\0\x03\0\0\0\x05"s;

std::string frame(SpdyStreamId stream, const std::string& text) {
  return std::string(as_text(spdy_data_header(stream, text.size()))) + text;
}

TEST(SpdyFraming, OpensAStreamForErrorsAndThenOneForData) {
  SpdyFraming framing(8080);
  const std::string opening = framing.opening();
  const auto position = [&](const std::string& text) { return opening.find(text); };
  EXPECT_LT(position("\0\0\0\x0Astreamtype\0\0\0\x05"
                     "error\0\0\0\x04port\0\0\0\x04"
                     "8080\0\0\0\x09requestid\0\0\0\x01"
                     "0"s),
            position("\0\0\0\x0Astreamtype\0\0\0\x04"
                     "data\0\0\0\x04port\0\0\0\x04"
                     "8080\0\0\0\x09requestid\0\0\0\x01"
                     "0"s));
  EXPECT_NE(position("data"), std::string::npos);
}

TEST(SpdyFraming, TellsTheStreamsApart) {
  SpdyFraming framing(80);
  EXPECT_THAT(events_of(framing, frame(3, "hello") + frame(1, "oops") + frame(5, "what")),
              ElementsAre("hello", "trouble oops"));
}

TEST(SpdyFraming, MessagesMeanNothing) {
  SpdyFraming framing(80);
  const std::string bytes = frame(3, "hello");
  EXPECT_THAT(events_of(framing, bytes.substr(0, 5)), IsEmpty());
  EXPECT_THAT(events_of(framing, bytes.substr(5, 6)), ElementsAre("hel"));
  EXPECT_THAT(events_of(framing, bytes.substr(11) + frame(3, "!")), ElementsAre("lo", "!"));
}

TEST(SpdyFraming, TheEndOfBothStreamsIsTheEndOfTheConnection) {
  SpdyFraming framing(80);
  EXPECT_THAT(events_of(framing, spdy_end(1)), IsEmpty());
  EXPECT_THAT(events_of(framing,
                        "\0\0\0\x03\x01\0\0\x03"
                        "bye"s),
              ElementsAre("bye", "closed"));
}

TEST(SpdyFraming, WhatWentWrongMayComeBehindTheEndOfTheData) {
  SpdyFraming framing(80);
  EXPECT_THAT(events_of(framing, spdy_end(3)), IsEmpty());
  EXPECT_THAT(events_of(framing, frame(1, "oops") + spdy_end(1)),
              ElementsAre("trouble oops", "closed"));
}

TEST(SpdyFraming, AStreamThatIsResetHasEnded) {
  SpdyFraming framing(80);
  EXPECT_THAT(events_of(framing, frame(3, "data") + kReset + frame(1, "oops") + spdy_end(1)),
              ElementsAre("data", "trouble oops", "reset"));
}

TEST(SpdyFraming, TheServersPingsAreAnsweredAndOursAreNot) {
  SpdyFraming framing(80);
  EXPECT_THAT(events_of(framing, spdy_ping(2)), ElementsAre("answer " + spdy_ping(2)));
  EXPECT_THAT(events_of(framing, framing.keep_alive()), IsEmpty());
}

TEST(SpdyFraming, SomethingElseIsAnError) {
  SpdyFraming framing(80);
  EXPECT_THAT(events_of(framing, std::string(20, '\0')), ElementsAre(StartsWith("error ")));
}

TEST(SpdyFraming, BytesGoOutOnTheDataStream) {
  SpdyFraming framing(80);
  EXPECT_EQ(as_text(framing.header(0x012345)), "\0\0\0\x03\0\x01\x23\x45"s);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
