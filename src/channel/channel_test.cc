#include <gtest/gtest.h>

#include "channel/channel_pair.h"
#include "channel/demultiplexer.h"
#include "channel/remote_command.h"

namespace sluice::channel {
namespace {

using namespace std::string_literals;

MutableBytes mutable_bytes(std::string& text) {
  return {reinterpret_cast<std::byte*>(text.data()), text.size()};
}

/// What a message means, in words: data and ends of stdin, sizes and errors, in order. Cut in two
/// at `cut`.
std::string read_messages(Version version, std::vector<std::string> messages, std::size_t cut) {
  ClientInputReader reader(version);
  std::string seen;
  for (std::string& message : messages) {
    const MutableBytes bytes = mutable_bytes(message);
    const std::size_t first = std::min(cut, bytes.size());
    for (const bool ends : {false, true}) {
      const auto input = reader.feed(ends ? bytes.subspan(first) : bytes.first(first), ends);
      if (!input) {
        seen += "error;";
      } else if (const auto* data = std::get_if<StdinData>(&*input)) {
        seen += as_text(data->bytes);
      } else if (std::holds_alternative<StdinEnd>(*input)) {
        seen += "end;";
      } else if (const auto* size = std::get_if<TerminalSize>(&*input)) {
        seen += std::to_string(size->width) + "x" + std::to_string(size->height) + ";";
      }
    }
  }
  return seen;
}

TEST(ClientInputReader, ReadsStdinSizesAndCloseHoweverTheMessagesAreCut) {
  const std::vector messages = {"\0abc"s, ""s,      "\0"s, "\4{\"Width\":120,\"Height\":40}"s,
                                "\0de"s,  "\xFF\0"s};
  for (std::size_t cut = 0; cut < 30; ++cut) {
    EXPECT_EQ(read_messages(Version::V5, messages, cut), "abc120x40;deend;") << cut;
  }
}

TEST(ClientInputReader, InV4TheCloseSignalIsAnUnknownChannel) {
  EXPECT_EQ(read_messages(Version::V4, {"\xFF\0"s, "\0x"s}, 1), "x");
}

TEST(ClientInputReader, ACloseSignalOfAnotherLengthOrForNoChannelIsAnError) {
  EXPECT_EQ(read_messages(Version::V5, {"\xFF"s}, 1), "error;");
  EXPECT_EQ(read_messages(Version::V5, {"\xFF\0\0"s}, 1), "error;");
  EXPECT_EQ(read_messages(Version::V5, {"\xFF\x05"s}, 1), "error;");
  EXPECT_EQ(read_messages(Version::V5, {"\xFF\x01"s}, 1), "");
}

TEST(ClientInputReader, ChannelsThatAClientCannotWriteAndBadSizesAreIgnored) {
  EXPECT_EQ(read_messages(Version::V5,
                          {"\1a"s, "\2b"s, "\3c"s, "\5d"s, "\4"s, "\4[]"s, "\4{\"Width\":65536}"s,
                           "\4{\"Width\":-1}"s, "\4"s + std::string(5000, ' ')},
                          2),
            "");
}

TEST(TerminalSize, IsReadAsGoReadsIt) {
  EXPECT_EQ(parse_terminal_size(R"({"width":1,"HEIGHT":2,"Depth":"x"})").value(),
            (TerminalSize{1, 2}));
  EXPECT_EQ(parse_terminal_size(R"({"Width":65535})").value(), (TerminalSize{65535, 0}));
  EXPECT_FALSE(parse_terminal_size(R"({"Width":1.5})"));
  EXPECT_FALSE(parse_terminal_size(R"({"Width":"80"})"));
  EXPECT_FALSE(parse_terminal_size(""));
  EXPECT_EQ(parse_terminal_size(format_terminal_size({80, 24})).value(), (TerminalSize{80, 24}));
}

TEST(Status, SaysHowACommandEnded) {
  EXPECT_EQ(success_status(), R"({"metadata":{},"status":"Success"})");
  EXPECT_EQ(exit_status(0), success_status());
  EXPECT_EQ(exit_status(3), R"({"metadata":{},"status":"Failure",)"
                            R"("message":"command terminated with non-zero exit code: 3",)"
                            R"("reason":"NonZeroExitCode",)"
                            R"("details":{"causes":[{"reason":"ExitCode","message":"3"}]}})");
  EXPECT_EQ(parse_status(killed_status(9)).value().exit_code, 137);
  EXPECT_EQ(failure_status("no such \"file\""),
            R"({"metadata":{},"status":"Failure","message":"no such \"file\"",)"
            R"("reason":"InternalError","code":500})");
}

TEST(Status, ReadsBack) {
  EXPECT_EQ(parse_status(success_status()).value().exit_code, 0);
  EXPECT_EQ(parse_status(exit_status(3)).value().exit_code, 3);
  const CommandStatus failure = parse_status(failure_status("gone")).value();
  EXPECT_EQ(failure.exit_code, std::nullopt);
  EXPECT_EQ(failure.message, "gone");
  EXPECT_FALSE(parse_status("{}"));
  EXPECT_FALSE(parse_status("nonsense"));
  EXPECT_EQ(parse_status(R"({"status":"Failure","details":{"causes":[1,{"reason":"ExitCode"}]}})")
                .value()
                .exit_code,
            std::nullopt);
}

TEST(Demultiplexer, PassesAnEmptyPayloadOnAsTheChannelsEmptyMessage) {
  Demultiplexer demultiplexer;
  std::string message = "\x01";
  const auto piece = demultiplexer.feed(mutable_bytes(message), true);
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->channel, 1);
  EXPECT_TRUE(piece->payload.empty() && piece->starts_message && piece->ends_message);
}

TEST(ChannelPair, CountsAsKubernetesDoes) {
  EXPECT_EQ(ChannelPair{3}.data(), 6);
  EXPECT_EQ(ChannelPair{3}.error(), 7);
  EXPECT_EQ(pair_of(7), ChannelPair{3});
  EXPECT_TRUE(is_data(6));
  EXPECT_FALSE(is_data(7));
}

TEST(ChannelPair, AnnouncesThePortInLittleEndian) {
  const auto message = port_announcement(2, 8090);
  EXPECT_EQ(as_text(message), "\x02\x9A\x1F");
  EXPECT_EQ(parse_port_announcement(Bytes(message).subspan(1)), 8090);
  EXPECT_EQ(parse_port_announcement(message), std::nullopt);
}

}  // namespace
}  // namespace sluice::channel
