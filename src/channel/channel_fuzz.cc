// A session's messages on Kubernetes channels, both ways: they mean the same however each is cut,
// which is what was said, up to the first that breaks the protocol. And any text as a status or as
// a terminal's size.
#include <fuzzer/FuzzedDataProvider.h>

#include <string>
#include <vector>

#include "channel/channel_pair.h"
#include "channel/remote_command.h"
#include "testing/require.h"

namespace {

using namespace sluice;
using namespace sluice::channel;
using sluice::testing::require;
using sluice::testing::require_equal;

constexpr std::size_t kMaxControlBytes = 1024;

/// What one side says, and what that means to the other.
struct Script {
  std::vector<std::string> messages;
  std::string meaning;
};

std::string with_channel(unsigned channel, const std::string& payload) {
  return static_cast<char>(channel) + payload;
}

/// What a client may send, and some that it may not.
class ClientScript {
 public:
  ClientScript(FuzzedDataProvider& input, Version version) : input_(input), version_(version) {}

  Script write() {
    const int count = input_.ConsumeIntegralInRange(0, 12);
    for (int i = 0; i < count && !broken_; ++i) write_message();
    return std::move(script_);
  }

 private:
  void write_message() {
    switch (input_.ConsumeIntegralInRange(0, 7)) {
      case 0: say({}, ""); break;
      case 1: write_resize(); break;
      case 2: write_strange_resize(); break;
      case 3: write_close(); break;
      case 4: write_to_other_channel(); break;
      default: {
        const std::string text = input_.ConsumeRandomLengthString(60);
        say(with_channel(0, text), text);
      }
    }
  }

  void say(std::string message, const std::string& meaning) {
    script_.messages.push_back(std::move(message));
    script_.meaning += meaning;
  }

  void write_resize() {
    constexpr const char* kNames[][2] = {
        {"Width", "Height"}, {"width", "HEIGHT"}, {"x", "Height"}, {"Width", "y"}};
    const auto& names = kNames[input_.ConsumeIntegralInRange(0, 3)];
    const auto width = input_.ConsumeIntegral<std::uint16_t>();
    const auto height = input_.ConsumeIntegral<std::uint16_t>();
    const std::string json = std::string("{\"") + names[0] + "\": " + std::to_string(width) +
                             ", \"" + names[1] + "\": " + std::to_string(height) + "}";
    const bool has_width = names[0] != std::string_view("x");
    const bool has_height = names[1] != std::string_view("y");
    const TerminalSize size{.width = has_width ? width : std::uint16_t{0},
                            .height = has_height ? height : std::uint16_t{0}};
    const std::size_t padding =
        input_.ConsumeBool() ? 0
                             : input_.ConsumeIntegralInRange<std::size_t>(0, 2 * kMaxControlBytes);
    const bool fits = json.size() + padding <= kMaxControlBytes;
    say(with_channel(4, json + std::string(padding, ' ')), fits ? format_terminal_size(size) : "");
  }

  /// Ignored, as the kubelet does.
  void write_strange_resize() {
    constexpr const char* kTexts[] = {"",
                                      "x",
                                      "[]",
                                      "{\"Width\":65536}",
                                      "{\"Width\":-1}",
                                      "{\"Height\":1.5}",
                                      "{\"Width\":\"80\"}",
                                      "{\"Width\":1"};
    say(with_channel(4, input_.PickValueInArray(kTexts)), "");
  }

  void write_close() {
    const auto channel = input_.ConsumeIntegralInRange(0U, 7U);
    std::string payload(input_.ConsumeIntegralInRange<std::size_t>(0, 7) == 0 ? 2U : 1U,
                        static_cast<char>(channel));
    if (input_.ConsumeIntegralInRange(0, 7) == 0) payload.clear();
    if (version_ == Version::V4) {
      say(with_channel(kCloseSignal, payload), "");  // a channel as others that are not known
      return;
    }
    broken_ = payload.size() != 1 || channel > 4;
    say(with_channel(kCloseSignal, payload), broken_ ? "<broken>" : channel == 0 ? "<end>" : "");
  }

  void write_to_other_channel() {
    const auto channel = input_.ConsumeIntegralInRange(1U, 254U);
    if (channel == 4) return;
    say(with_channel(channel, input_.ConsumeRandomLengthString(20)), "");
  }

  FuzzedDataProvider& input_;
  Version version_;
  Script script_;
  bool broken_ = false;
};

/// The pieces of a message, one after another: views into it.
std::vector<MutableBytes> cut(std::string& message, FuzzedDataProvider& input) {
  std::vector<MutableBytes> pieces;
  MutableBytes rest(reinterpret_cast<std::byte*>(message.data()), message.size());
  while (input.ConsumeBool()) {
    const std::size_t size = input.ConsumeIntegralInRange<std::size_t>(0, rest.size());
    pieces.push_back(rest.first(size));
    rest = rest.subspan(size);
  }
  pieces.push_back(rest);
  return pieces;
}

std::string meaning_of(const Result<ClientInput>& input) {
  if (!input) return "<broken>";
  if (const auto* data = std::get_if<StdinData>(&*input)) return std::string(as_text(data->bytes));
  if (std::holds_alternative<StdinEnd>(*input)) return "<end>";
  const auto* size = std::get_if<TerminalSize>(&*input);
  return size != nullptr ? format_terminal_size(*size) : "";
}

void check_client(FuzzedDataProvider& input) {
  const Version version = input.ConsumeBool() ? Version::V5 : Version::V4;
  Script script = ClientScript(input, version).write();
  ClientInputReader reader(version);
  std::string meaning;
  for (std::string& message : script.messages) {
    const std::vector<MutableBytes> pieces = cut(message, input);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      meaning += meaning_of(reader.feed(pieces[i], i + 1 == pieces.size()));
    }
  }
  require_equal(meaning, script.meaning, "a client's messages mean what was said");
}

/// The statuses that we send, with what a client reads in them.
std::string choose_status(FuzzedDataProvider& input, CommandStatus& meaning) {
  const int code = input.ConsumeIntegralInRange(0, 0xFFFF);
  switch (input.ConsumeIntegralInRange(0, 2)) {
    case 0: meaning.exit_code = code; return exit_status(code);
    case 1: meaning.exit_code = 128 + code % 65; return killed_status(code % 65);
    default:
      meaning.message = input.ConsumeBool() ? "no such \"file\"\n" : "\xC3\xA9";
      return failure_status(meaning.message);
  }
}

/// Output on two channels, then a status on a third: what ChannelProcess does with them.
void check_server(FuzzedDataProvider& input) {
  CommandStatus meaning;
  std::vector<std::string> messages;
  std::string sent[256];
  const int count = input.ConsumeIntegralInRange(0, 10);
  for (int i = 0; i < count; ++i) {
    const auto channel = input.ConsumeIntegral<std::uint8_t>();
    const std::string text = input.ConsumeRandomLengthString(60);
    if (channel == 3) continue;
    sent[channel] += text + "|";
    messages.push_back(with_channel(channel, text));
  }
  sent[3] = choose_status(input, meaning);
  messages.push_back(with_channel(3, sent[3]));
  Demultiplexer demultiplexer;
  std::string received[256];
  for (std::string& message : messages) {
    bool begun = false;
    const std::vector<MutableBytes> pieces = cut(message, input);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const auto piece = demultiplexer.feed(pieces[i], i + 1 == pieces.size());
      if (!piece) continue;
      require(piece->starts_message != begun, "a message starts once");
      begun = true;
      received[piece->channel] += as_text(piece->payload);
      if (piece->ends_message && piece->channel != 3) received[piece->channel] += "|";
    }
    require(begun, "no message is lost");
  }
  for (std::size_t i = 0; i < 256; ++i) require_equal(received[i], sent[i], "channels don't mix");
  const auto status = parse_status(received[3]);
  require(status && status->exit_code == meaning.exit_code, "a status says how the command ended");
  if (!meaning.exit_code) require_equal(status->message, meaning.message, "and why");
}

void check_any_text(const std::string& text) {
  (void)parse_status(text);
  if (const auto size = parse_terminal_size(text)) {
    require(parse_terminal_size(format_terminal_size(*size)) == *size, "a size reads back");
  }
  if (const auto port = parse_port_announcement(as_bytes(text))) {
    const auto message = port_announcement(0, *port);
    require_equal(std::string(as_text(Bytes(message).subspan(1))), text, "a port reads back");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  switch (input.ConsumeIntegralInRange(0, 2)) {
    case 0: check_any_text(input.ConsumeRemainingBytesAsString()); break;
    case 1: check_client(input); break;
    default: check_server(input);
  }
  return 0;
}
