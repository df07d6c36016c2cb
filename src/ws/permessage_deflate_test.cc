#include "ws/permessage_deflate.h"

#include <rapidcheck.h>

#include <gtest/gtest.h>

#include "ws/output_buffer.h"

namespace sluice::ws {
namespace {

constexpr DeflateDirection kDrop{.window_bits = 15, .takeover = ContextTakeover::Drop};

/// Inflates a message that arrives in pieces, through room for `room_size` bytes at a time;
/// nullopt: it is invalid.
std::optional<std::string> inflate(Inflater& inflater, Bytes message, std::size_t piece_size,
                                   std::size_t room_size) {
  std::string text;
  std::vector<std::byte> room(room_size);
  do {
    Bytes piece = message.first(std::min(piece_size, message.size()));
    message = message.subspan(piece.size());
    bool more = true;
    while (more) {
      const auto step = inflater.decompress(piece, message.empty(), room);
      if (!step) return std::nullopt;
      piece = piece.subspan(step->consumed);
      text += as_text(Bytes(room).first(step->produced));
      more = step->more;
    }
  } while (!message.empty());
  return text;
}

std::string deflate(Deflater& deflater, std::string_view text) {
  OutputBuffer out;
  deflater.compress(as_bytes(text), true, out);
  return std::string(as_text(out.pending()));
}

std::optional<std::string> inflate_once(std::string_view message) {
  Inflater inflater({});
  return inflate(inflater, as_bytes(message), message.size() + 1, 100);
}

TEST(PermessageDeflate, ReadsTheExamplesOfTheRfc) {
  using namespace std::string_view_literals;
  Inflater inflater({});
  EXPECT_EQ(inflate(inflater, as_bytes("\xf2\x48\xcd\xc9\xc9\x07\x00"sv), 100, 100), "Hello");
  EXPECT_EQ(inflate(inflater, as_bytes("\xf2\x00\x11\x00\x00"sv), 100, 100), "Hello");
  EXPECT_EQ(inflate_once("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"sv), "Hello");  // stored
  EXPECT_EQ(inflate_once("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"sv), "Hello");              // BFINAL set
  EXPECT_EQ(inflate_once("\x00"sv), "");
}

TEST(PermessageDeflate, InvalidOrCutDataIsAnError) {
  using namespace std::string_view_literals;
  EXPECT_EQ(inflate_once("\xff\xff\xff"sv), std::nullopt);
  EXPECT_EQ(inflate_once("\x00\x05\x00\xfa\xff\x48"sv), std::nullopt);
}

TEST(PermessageDeflate, MessagesReadBackHoweverTheyAreCut) {
  EXPECT_TRUE(rc::check([](const std::vector<std::string>& messages, bool drop) {
    const DeflateDirection direction = drop ? kDrop : DeflateDirection{};
    Deflater deflater(direction);
    Inflater inflater(direction);
    const auto piece = *rc::gen::inRange<std::size_t>(1, 20);
    const auto room = *rc::gen::inRange<std::size_t>(1, 50);
    for (const std::string& text : messages) {
      const std::string compressed = deflate(deflater, text);
      RC_ASSERT(inflate(inflater, as_bytes(compressed), piece, room) == text);
    }
  }));
}

TEST(PermessageDeflate, FragmentsOfAMessageReadBack) {
  Deflater deflater({});
  Inflater inflater({});
  for (int i = 0; i < 3; ++i) {
    OutputBuffer out;
    deflater.compress(as_bytes("first part, "), false, out);
    deflater.compress(as_bytes("second part"), false, out);
    deflater.compress({}, true, out);
    EXPECT_EQ(inflate(inflater, out.pending(), 3, 5), "first part, second part");
  }
}

TEST(PermessageDeflate, WithoutContextTakeoverEachMessageStandsAlone) {
  Deflater deflater(kDrop);
  const std::string first = deflate(deflater, "the same text");
  EXPECT_EQ(deflate(deflater, "the same text"), first);
  Deflater keeping({});
  (void)deflate(keeping, "the same text");
  EXPECT_LT(deflate(keeping, "the same text").size(), first.size());
}

TEST(PermessageDeflate, ASmallMessageThatUnfoldsToMuchNeedsOnlyItsRoom) {
  Deflater deflater({});
  const std::string zeros(20'000'000, '\0');
  const std::string compressed = deflate(deflater, zeros);
  EXPECT_LT(compressed.size(), 100'000u);
  Inflater inflater({});
  EXPECT_EQ(inflate(inflater, as_bytes(compressed), 1'000'000, 64_KiB)->size(), zeros.size());
}

TEST(NegotiateDeflate, TakesTheFirstOfferThatItCanMeet) {
  EXPECT_EQ(negotiate_deflate({"permessage-deflate"}), DeflateParameters{});
  EXPECT_EQ(
      negotiate_deflate({"x-webkit-deflate-frame", "permessage-deflate; client_max_window_bits"}),
      DeflateParameters{});
  const auto agreed = negotiate_deflate(
      {"permessage-deflate; server_max_window_bits=8, permessage-deflate; "
       "server_max_window_bits=\"10\"; client_max_window_bits=12; server_no_context_takeover; "
       "client_no_context_takeover"});
  ASSERT_TRUE(agreed);
  EXPECT_EQ(agreed->server, (DeflateDirection{10, ContextTakeover::Drop}));
  EXPECT_EQ(agreed->client, (DeflateDirection{12, ContextTakeover::Drop}));
  EXPECT_EQ(format_deflate(*agreed),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "server_max_window_bits=10; client_max_window_bits=12");
}

TEST(NegotiateDeflate, DeclinesWhatItDoesNotUnderstand) {
  for (const std::string_view offer :
       {"", "permessage-bzip2", "permessage-deflate; x",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover"}) {
    EXPECT_EQ(negotiate_deflate({offer}), std::nullopt) << offer;
  }
}

TEST(AcceptedDeflate, ReadsTheServersAnswer) {
  EXPECT_EQ(accepted_deflate({}).value(), std::nullopt);
  const auto agreed = accepted_deflate({"permessage-deflate; client_max_window_bits=9"}).value();
  ASSERT_TRUE(agreed);
  EXPECT_EQ(agreed->client.window_bits, 9);
  EXPECT_FALSE(accepted_deflate({"permessage-deflate; client_max_window_bits"}));
  EXPECT_FALSE(accepted_deflate({"permessage-deflate, permessage-deflate"}));
  EXPECT_FALSE(accepted_deflate({"other"}));
}

}  // namespace
}  // namespace sluice::ws
