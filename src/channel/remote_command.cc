#include "channel/remote_command.h"

#include "base/json.h"
#include "base/text.h"

namespace sluice::channel {
namespace {

constexpr std::size_t kMaxControlBytes = 1024;  // of a terminal size or a close signal
constexpr int kChannels = 5;

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::InvalidArgument, std::move(message));
}

/// As Go reads into a uint16; null leaves it alone.
Result<std::uint16_t> parse_dimension(const json::value& value) {
  if (value.is_null()) return 0;
  if (value.is_int64() && value.get_int64() >= 0 && value.get_int64() <= 0xFFFF) {
    return static_cast<std::uint16_t>(value.get_int64());
  }
  return invalid("a terminal size is a whole number from 0 to 65535");
}

std::string exit_code_status(int code) {
  const std::string number = std::to_string(code);
  json::object cause{{"reason", "ExitCode"}, {"message", number}};
  json::object details{{"causes", json::array{std::move(cause)}}};
  json::object status{{"metadata", json::object{}},
                      {"status", "Failure"},
                      {"message", "command terminated with non-zero exit code: " + number},
                      {"reason", "NonZeroExitCode"},
                      {"details", std::move(details)}};
  return json::serialize(status);
}

/// details.causes[].message of the cause ExitCode.
std::optional<int> find_exit_code(const json::object& status) {
  const json::object* details = json::find_object(status, "details");
  const json::array* causes = details != nullptr ? json::find_array(*details, "causes") : nullptr;
  if (causes == nullptr) return std::nullopt;
  for (const json::value& cause : *causes) {
    if (!cause.is_object()) continue;
    if (json::find_string(cause.get_object(), "reason") != "ExitCode") continue;
    const auto message = json::find_string(cause.get_object(), "message");
    const auto code = message ? parse_int64(*message) : std::nullopt;
    if (code && *code >= 0 && *code <= 0xFFFF) return static_cast<int>(*code);
  }
  return std::nullopt;
}

}  // namespace

Result<TerminalSize> parse_terminal_size(std::string_view text) {
  TRY(const json::value value, json::parse(text));
  if (!value.is_object()) return invalid("a terminal size is {\"Width\":columns,\"Height\":rows}");
  TerminalSize size;
  for (const auto& [name, number] : value.get_object()) {
    if (equals_ignore_case({name.data(), name.size()}, "width")) {
      TRY(size.width, parse_dimension(number));
    } else if (equals_ignore_case({name.data(), name.size()}, "height")) {
      TRY(size.height, parse_dimension(number));
    }
  }
  return size;
}

std::string format_terminal_size(TerminalSize size) {
  return "{\"Width\":" + std::to_string(size.width) + ",\"Height\":" + std::to_string(size.height) +
         "}";
}

Result<ClientInput> ClientInputReader::feed(MutableBytes payload, bool ends_message) {
  const auto piece = demultiplexer_.feed(payload, ends_message);
  if (!piece) return NothingYet{};
  if (piece->channel == static_cast<std::uint8_t>(StreamChannel::Stdin)) {
    if (piece->payload.empty()) return NothingYet{};
    return StdinData{piece->payload};
  }
  const bool is_close = version_ == Version::V5 && piece->channel == kCloseSignal;
  const bool is_resize = piece->channel == static_cast<std::uint8_t>(StreamChannel::Resize);
  if (!is_close && !is_resize) return NothingYet{};
  if (piece->starts_message) control_.clear();
  // One byte over the limit is kept as the mark of a message that is too long.
  control_ += as_text(piece->payload).substr(0, kMaxControlBytes + 1 - control_.size());
  if (!piece->ends_message) return NothingYet{};
  const std::string control = std::move(control_);
  control_ = {};
  return is_close ? read_close(control) : read_resize(control);
}

Result<ClientInput> ClientInputReader::read_close(std::string_view payload) {
  if (payload.size() != 1) return invalid("a close signal is two bytes: 255 and the channel");
  const auto channel = static_cast<std::uint8_t>(payload.front());
  if (channel >= kChannels) return invalid("the close signal names no channel");
  if (channel != static_cast<std::uint8_t>(StreamChannel::Stdin)) return NothingYet{};
  return StdinEnd{};
}

ClientInput ClientInputReader::read_resize(std::string_view payload) {
  if (payload.size() > kMaxControlBytes) return NothingYet{};
  const auto size = parse_terminal_size(payload);
  if (!size) return NothingYet{};
  return *size;
}

std::string success_status() { return R"({"metadata":{},"status":"Success"})"; }

std::string exit_status(int code) { return code == 0 ? success_status() : exit_code_status(code); }

std::string killed_status(int signal) { return exit_code_status(128 + signal); }

std::string failure_status(std::string_view message) {
  const json::object status{{"metadata", json::object{}},
                            {"status", "Failure"},
                            {"message", message},
                            {"reason", "InternalError"},
                            {"code", 500}};
  return json::serialize(status);
}

Result<CommandStatus> parse_status(std::string_view text) {
  TRY(const json::value value, json::parse(text));
  const auto state =
      value.is_object() ? json::find_string(value.get_object(), "status") : std::nullopt;
  if (state != "Success" && state != "Failure") {
    return invalid("a Status has the status Success or Failure");
  }
  if (state == "Success") return CommandStatus{.exit_code = 0, .message = {}};
  const json::object& status = value.get_object();
  return CommandStatus{.exit_code = find_exit_code(status),
                       .message = std::string(json::find_string(status, "message").value_or(""))};
}

}  // namespace sluice::channel
