// The frame codec: encoder and decoder against each other, and against the letter of RFC 6455.
#include <rapidcheck.h>

#include <gtest/gtest.h>

#include "base/text.h"
#include "testing/seeded_random.h"
#include "ws/frame_decoder.h"
#include "ws/frame_encoder.h"
#include "ws/held_bytes.h"

namespace sluice::ws {
namespace {

/// What a decoder makes of bytes: messages, control frames and the end, in words.
std::vector<std::string> decode(FrameDecoder& decoder, std::string bytes, std::size_t fragment) {
  std::vector<std::string> seen;
  std::string message;
  for (std::size_t at = 0; at < bytes.size(); at += fragment) {
    const std::size_t size = std::min(fragment, bytes.size() - at);
    MutableBytes input(reinterpret_cast<std::byte*>(bytes.data() + at), size);
    while (true) {
      const FrameEvent event = decoder.feed(input);
      if (std::holds_alternative<NeedsInput>(event)) break;
      if (const auto* data = std::get_if<DataPiece>(&event)) {
        message += as_text(data->piece.payload);
        if (data->piece.ends_message) {
          seen.push_back((data->piece.opcode == Opcode::Text ? "text:" : "binary:") + message);
          message.clear();
        }
      } else if (const auto* ping = std::get_if<Ping>(&event)) {
        seen.push_back("ping:" + std::string(as_text(ping->payload)));
      } else if (std::holds_alternative<Pong>(event)) {
        seen.push_back("pong");
      } else if (const auto* close = std::get_if<Close>(&event)) {
        seen.push_back("close:" + std::to_string(static_cast<int>(close->code)) + close->reason);
      } else if (const auto* broken = std::get_if<Violation>(&event)) {
        seen.push_back("violation:" + std::to_string(static_cast<int>(broken->close.code)));
      }
    }
    EXPECT_TRUE(input.empty());
  }
  return seen;
}

Role other(Role role) { return role == Role::Server ? Role::Client : Role::Server; }

using Messages = std::vector<std::pair<std::string, bool>>;  // text, and whether in fragments

TEST(Codec, WhatOneSideEncodesTheOtherDecodesHoweverItIsCut) {
  EXPECT_TRUE(rc::check([](const Messages& messages, bool from_client) {
    const Role sender = from_client ? Role::Client : Role::Server;
    testing::SeededRandom keys;
    FrameEncoder encoder(sender, keys);
    OutputBuffer out;
    std::vector<std::string> expected;
    for (const auto& [text, fragmented] : messages) {
      const std::size_t first = fragmented ? text.size() / 2 : text.size();
      encoder.append(out, Opcode::Binary, as_bytes(text).first(first), !fragmented);
      encoder.append(out, Opcode::Ping, as_bytes("p"), true);
      if (fragmented)
        encoder.append(out, Opcode::Continuation, as_bytes(text).subspan(first), true);
      if (fragmented) expected.push_back("ping:p");
      expected.push_back("binary:" + text);
      if (!fragmented) expected.push_back("ping:p");
    }
    encoder.append_close(out, {CloseCode::GoingAway, "bye"});
    expected.push_back("close:1001bye");
    const std::string bytes(as_text(out.pending()));
    const auto fragment = *rc::gen::inRange<std::size_t>(1, bytes.size() + 1);
    FrameDecoder decoder(other(sender));
    RC_ASSERT(decode(decoder, bytes, fragment) == expected);
  }));
}

TEST(Codec, EveryPayloadSizeReadsBackForBothRoles) {
  for (const Role role : {Role::Server, Role::Client}) {
    testing::SeededRandom random;
    FrameEncoder encoder(role, random);
    FrameDecoder decoder(other(role));
    for (const std::size_t size :
         {0_KiB, std::size_t{125}, std::size_t{126}, 64_KiB - 1, 64_KiB, 1_MiB, 1_MiB + 1}) {
      OutputBuffer out;
      const std::string text(size, 'x');
      encoder.append(out, Opcode::Binary, as_bytes(text), true);
      const std::string bytes(as_text(out.pending()));
      EXPECT_EQ(decode(decoder, bytes, bytes.size()), std::vector{"binary:" + text});
    }
  }
}

TEST(FrameEncoder, OnlyPayloadsOver1MiBAreSplit) {
  testing::SeededRandom random;
  FrameEncoder encoder(Role::Server, random);
  OutputBuffer out;
  encoder.append(out, Opcode::Binary, as_bytes(std::string(1_MiB, 'x')), true);
  EXPECT_EQ(out.pending()[0], std::byte{0x82});
  EXPECT_EQ(out.size(), 1_MiB + 10);
  out.consume(out.size());
  encoder.append(out, Opcode::Binary, as_bytes(std::string(1_MiB + 1, 'x')), true);
  EXPECT_EQ(out.pending()[0], std::byte{0x02});
  EXPECT_EQ(as_text(out.pending()).substr(1_MiB + 10), "\x80\x01x");
}

TEST(FrameEncoder, ACloseReasonIsCutBetweenCharactersAt123Bytes) {
  testing::SeededRandom random;
  FrameEncoder encoder(Role::Server, random);
  OutputBuffer out;
  std::string reason = std::string(122, 'x') + "\xC3\xBC";
  encoder.append_close(out, {CloseCode::InternalError, reason});
  EXPECT_EQ(out.size(), 2u + 2 + 122);
}

TEST(FrameDecoder, RefusesEveryCloseCodeThatMustNotBeSent) {
  for (unsigned code = 0; code <= 0xFFFF; ++code) {
    const std::string frame = {'\x88', '\x02', static_cast<char>(code >> 8),
                               static_cast<char>(code)};
    FrameDecoder decoder(Role::Client);
    const bool valid = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                       (code >= 3000 && code <= 4999);
    const std::string expected = valid ? "close:" + std::to_string(code) : "violation:1002";
    EXPECT_EQ(decode(decoder, frame, 4), std::vector{expected});
  }
}

TEST(FrameEncoder, AClientsMessageUpTo1MiBIsOneFrame) {
  testing::SeededRandom keys;
  FrameEncoder encoder(Role::Client, keys);
  // Kubernetes' servers take each frame for a message.
  for (const std::size_t size : {std::size_t{0}, 32_KiB, 125_KiB, kMaxFrameBytes}) {
    OutputBuffer out;
    encoder.append(out, Opcode::Binary, as_bytes(std::string(size, 'x')), true);
    const std::size_t header = (size == 0 ? 2 : size > 0xFFFF ? 10 : 4) + sizeof(MaskingKey);
    EXPECT_EQ(out.pending().size(), header + size);
    EXPECT_EQ(out.pending()[0], std::byte{0x82});  // FIN, binary
    EXPECT_EQ(out.pending()[1] & std::byte{0x80}, std::byte{0x80});
  }
}

TEST(FrameDecoder, AClientRefusesMaskedFrames) {
  FrameDecoder decoder(Role::Client);
  EXPECT_EQ(decode(decoder, std::string("\x82\x81\0\0\0\0x", 7), 7),
            std::vector{std::string("violation:1002")});
}

TEST(FrameDecoder, Rsv1IsForTheFirstFrameOfACompressedMessageOnly) {
  const auto first_event = [](std::string bytes) {
    FrameDecoder decoder(Role::Client, FrameDecoder::Compression::Negotiated);
    return decode(decoder, std::move(bytes), 100).back();
  };
  EXPECT_EQ(first_event("\xC2\x01x"), "binary:x");
  EXPECT_EQ(first_event("\x42\x01x\x80\x01y"), "binary:xy");
  EXPECT_EQ(first_event("\x42\x01x\xC0\x01y"), "violation:1002");
  EXPECT_EQ(first_event("\xC9\x01x"), "violation:1002");
}

TEST(FrameDecoder, AMessageOverTheLimitIs1009BeforeTheFrameThatMakesItSo) {
  const auto events = [](std::string bytes, std::size_t fragment) {
    FrameDecoder decoder(Role::Client, FrameDecoder::Compression::None, 3);
    return decode(decoder, std::move(bytes), fragment);
  };
  for (const std::size_t fragment : {std::size_t{1}, std::size_t{100}}) {
    EXPECT_EQ(events("\x82\x03"
                     "abc"
                     "\x82\x03"
                     "abc",
                     fragment),
              (std::vector<std::string>{"binary:abc", "binary:abc"}));
    EXPECT_EQ(events("\x82\x04", fragment), std::vector{std::string("violation:1009")});
    EXPECT_EQ(events("\x02\x02"
                     "ab"
                     "\x89\x04ping"
                     "\x80\x01"
                     "c",
                     fragment),
              (std::vector<std::string>{"ping:ping", "binary:abc"}));
    EXPECT_EQ(events("\x02\x02"
                     "ab"
                     "\x80\x02"
                     "cd",
                     fragment),
              std::vector{std::string("violation:1009")});
  }
}

TEST(FrameDecoder, NothingFollowsACloseOrAViolation) {
  FrameDecoder closed(Role::Client);
  EXPECT_EQ(decode(closed, std::string("\x88\0\x82\x01x", 5), 100).size(), 1u);
  FrameDecoder broken(Role::Client);
  EXPECT_EQ(decode(broken, "\x83\x01x\x82\x01x", 100).size(), 1u);
}

TEST(Masking, TurnsTheKeyWithTheBytesAtEverySplit) {
  EXPECT_TRUE(rc::check([](std::string text, MaskingKey key) {
    std::string whole = text;
    std::string parts = text;
    const auto bytes = [](std::string& s) {
      return MutableBytes(reinterpret_cast<std::byte*>(s.data()), s.size());
    };
    (void)apply_mask(bytes(whole), key);
    const auto cut = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
    const MaskingKey turned = apply_mask(bytes(parts).first(cut), key);
    (void)apply_mask(bytes(parts).subspan(cut), turned);
    RC_ASSERT(parts == whole);
    for (std::size_t i = 0; i < text.size(); ++i) {
      RC_ASSERT(whole[i] == static_cast<char>(text[i] ^ static_cast<char>(key >> (8 * (i % 4)))));
    }
  }));
}

TEST(Masking, LongRunsAreMaskedByteForByte) {
  std::string text(1000, '\0');
  (void)apply_mask({reinterpret_cast<std::byte*>(text.data()), text.size()}, 0x64636261);
  for (std::size_t i = 0; i < text.size(); ++i) EXPECT_EQ(text[i], "abcd"[i % 4]);
}

TEST(Utf8Validator, AgreesWithTheWholeTextCheckAtEverySplit) {
  const std::vector<std::string> texts = {"plain ascii, longer than a word",
                                          "\xC3\xBC",
                                          "\xE2\x82\xAC",
                                          "\xF0\x9F\x98\x80",
                                          "\xC0\xAF",
                                          "\xED\xA0\x80",
                                          "\xF4\x90\x80\x80",
                                          "\xE0\x80\x80",
                                          "\xF0\x80\x80\x80",
                                          "\xFF",
                                          "\x80",
                                          "a\xE2\x82",
                                          "12345678\xC3",
                                          "\xEF\xBF\xBF",
                                          "\xF4\x8F\xBF\xBF",
                                          "\xF5\x80\x80\x80"};
  for (const std::string& text : texts) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      Utf8Validator validator;
      const bool valid = validator.feed(as_bytes(text).first(cut)) &&
                         validator.feed(as_bytes(text).subspan(cut)) && validator.finish();
      EXPECT_EQ(valid, is_utf8(text)) << text << " cut at " << cut;
    }
  }
  EXPECT_TRUE(rc::check([](const std::string& text) {
    Utf8Validator validator;
    RC_ASSERT((validator.feed(as_bytes(text)) && validator.finish()) == is_utf8(text));
  }));
}

TEST(Utf8Validator, RefusesTheFirstByteThatCannotBeRight) {
  Utf8Validator validator;
  EXPECT_TRUE(validator.feed(as_bytes("\xED")));
  EXPECT_FALSE(validator.feed(as_bytes("\xA0")));
}

TEST(PooledBuffer, IsCountedWhileItIsHeldWhoeverHoldsIt) {
  const std::size_t before = held_bytes();
  {
    PooledBuffer small = PooledBuffer::take(100);
    PooledBuffer large = PooledBuffer::take(1_MiB);
    EXPECT_EQ(held_bytes(), before + small.size() + large.size());
    const PooledBuffer moved = std::move(large);
    EXPECT_EQ(held_bytes(), before + small.size() + moved.size());
    small = PooledBuffer();
    EXPECT_EQ(held_bytes(), before + moved.size());
  }
  EXPECT_EQ(held_bytes(), before);
}

TEST(OutputBuffer, KeepsItsBytesWhileItGrowsShrinksAndIsConsumed) {
  OutputBuffer out;
  std::string expected;
  testing::SeededRandom random;
  for (int i = 0; i < 300; ++i) {
    const std::string text(random.next() % 5000, static_cast<char>(i));
    out.append(as_bytes(text));
    expected += text;
    const std::size_t count = random.next() % (out.size() + 1);
    out.consume(count);
    expected.erase(0, count);
    if (i % 7 == 0) out.shrink();
    ASSERT_EQ(as_text(out.pending()), expected);
  }
}

}  // namespace
}  // namespace sluice::ws
