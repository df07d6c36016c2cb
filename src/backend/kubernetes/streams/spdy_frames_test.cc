#include "backend/kubernetes/streams/spdy_frames.h"

#include <gmock/gmock.h>
#include <zlib.h>

namespace sluice::backend::kubernetes {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string describe(const SpdyEvent& event) {
  if (const auto* data = std::get_if<SpdyData>(&event)) {
    return std::to_string(data->stream) + ":" + std::string(as_text(data->bytes)) +
           (data->ends_stream ? "." : "");
  }
  if (const auto* reset = std::get_if<SpdyReset>(&event)) {
    return "reset " + std::to_string(reset->stream);
  }
  return "ping " + std::to_string(std::get<SpdyPing>(event).id);
}

/// What comes out of the bytes, cut after each `piece` of them; an error is the last.
std::vector<std::string> decode(std::string_view text, std::size_t piece = 1000) {
  SpdyDecoder decoder;
  std::vector<std::string> events;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    Bytes input = as_bytes(text.substr(0, piece));
    while (true) {
      const auto event = decoder.feed(input);
      if (!event) events.push_back(event.error().message);
      if (!event) return events;
      if (!*event) break;
      events.push_back(describe(**event));
    }
    EXPECT_TRUE(input.empty());
  }
  return events;
}

std::string data(SpdyStreamId stream, const std::string& text) {
  return std::string(as_text(spdy_data_header(stream, text.size()))) + text;
}

// As moby/spdystream writes them.
const std::string kSynReply = "\x80\x03\0\x02\0\0\0\x08\0\0\0\x01zlib"s;
const std::string kSettings = "\x80\x03\0\x04\0\0\0\x04\0\0\0\0"s;
const std::string kGoAway = "\x80\x03\0\x07\0\0\0\x08\0\0\0\x03\0\0\0\0"s;
const std::string kReset = "\x80\x03\0\x03\0\0\0\x08\0\0\0\x03\0\0\0\x05"s;
const std::string kFin = "\0\0\0\x03\x01\0\0\0"s;

TEST(SpdyDecoder, HandsOutWhatTheFramesCarry) {
  EXPECT_THAT(decode(kSynReply + data(3, "hello") + data(1, "oops") + kReset),
              ElementsAre("3:hello", "1:oops", "reset 3"));
}

TEST(SpdyDecoder, TheEndOfAStreamComesWithItsLastBytesOrAlone) {
  EXPECT_THAT(decode("\0\0\0\x03\x01\0\0\x02hi"s), ElementsAre("3:hi."));
  EXPECT_THAT(decode(data(3, "hi") + kFin), ElementsAre("3:hi", "3:."));
  EXPECT_THAT(decode("\x80\x03\0\x02\x01\0\0\x08\0\0\0\x03zlib"s), ElementsAre("3:."));
}

TEST(SpdyDecoder, WhatIsOfNoUseIsSkipped) {
  const std::string unknown = "\x80\x03\0\x63\0\0\0\x02zz"s;
  const std::string empty = "\x80\x03\0\x04\0\0\0\0"s;
  EXPECT_THAT(decode(kSettings + kGoAway + unknown + empty + data(3, "") + spdy_ping(7)),
              ElementsAre("ping 7"));
}

TEST(SpdyDecoder, AnyCutGivesTheSame) {
  const std::string all = kSynReply + spdy_ping(2) + data(3, "hello") + kGoAway + kReset + kFin;
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    std::string text;
    std::vector<std::string> others;
    for (const std::string& event : decode(all, piece)) {
      event.starts_with("3:") ? text += event.substr(2) : others.emplace_back(event);
    }
    EXPECT_EQ(text, "hello.") << piece;
    EXPECT_THAT(others, ElementsAre("ping 2", "reset 3")) << piece;
  }
}

TEST(SpdyDecoder, WhatIsNotOfThisVersionIsAnError) {
  const std::string error = "the cluster sent something that is not SPDY/3.1";
  EXPECT_THAT(decode("\x80\x02\0\x06\0\0\0\x04\0\0\0\x01"s), ElementsAre(error));
  EXPECT_THAT(decode(data(3, "a") + data(0, "b")), ElementsAre("3:a", error));
}

TEST(SpdyDecoder, AFrameOfAnySizeIsHandedOnAsItComes) {
  const std::string header(as_text(spdy_data_header(3, kMaxSpdyPayloadBytes)));
  EXPECT_THAT(decode(header), IsEmpty());
  EXPECT_THAT(decode(header + "some"), ElementsAre("3:some"));
}

/// Inflates the header blocks of SYN_STREAM frames, as one zlib stream.
std::vector<std::string> header_blocks(std::vector<std::string> frames) {
  constexpr std::size_t kBehindHeader = 18;
  std::vector<std::string> blocks;
  z_stream stream{};
  inflateInit(&stream);
  for (std::string& frame : frames) {
    std::string text(1000, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(frame.data() + kBehindHeader);
    stream.avail_in = static_cast<uInt>(frame.size() - kBehindHeader);
    stream.next_out = reinterpret_cast<Bytef*>(text.data());
    stream.avail_out = static_cast<uInt>(text.size());
    EXPECT_EQ(inflate(&stream, Z_SYNC_FLUSH), Z_OK);
    text.resize(text.size() - stream.avail_out);
    blocks.push_back(text);
  }
  inflateEnd(&stream);
  return blocks;
}

TEST(SpdyOpener, TheFieldsOfAllStreamsAreOneZlibStream) {
  using Field = std::pair<std::string_view, std::string_view>;
  const std::array first{Field("a", "1"), Field("port", "80")};
  const std::array second{Field("b", "")};
  SpdyOpener opener;
  std::vector<std::string> frames = {opener.syn_stream(1, SpdyDirections::FromPeer, first)};
  frames.push_back(opener.syn_stream(3, SpdyDirections::Both, second));
  EXPECT_THAT(header_blocks(frames), ElementsAre("\0\0\0\x02\0\0\0\x01"
                                                 "a\0\0\0\x01"
                                                 "1\0\0\0\x04port\0\0\0\x02"
                                                 "80"s,
                                                 "\0\0\0\x01\0\0\0\x01"
                                                 "b\0\0\0\0"s));
}

TEST(SpdyOpener, AStreamThatWeSendNothingOnEndsAsItBegins) {
  SpdyOpener opener;
  const std::string one = opener.syn_stream(1, SpdyDirections::FromPeer, {});
  const std::string both = opener.syn_stream(3, SpdyDirections::Both, {});
  EXPECT_EQ(one.substr(0, 12), "\x80\x03\0\x01\x01\0\0\x1A\0\0\0\x01"s);
  EXPECT_EQ(both.substr(0, 12), "\x80\x03\0\x01\0\0\0\x18\0\0\0\x03"s);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
