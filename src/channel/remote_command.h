// Remote command channels v4 and v5: stdin, stdout, stderr, status and terminal size of exec and
// attach. Source: kubernetes/apimachinery pkg/util/remotecommand, kubernetes/cri-streaming
// pkg/streaming.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "channel/demultiplexer.h"

namespace sluice::channel {

enum class StreamChannel : std::uint8_t {
  Stdin = 0,
  Stdout = 1,
  Stderr = 2,
  Error = 3,
  Resize = 4
};

/// v5: the message {255, channel} ends that channel.
inline constexpr std::uint8_t kCloseSignal = 255;

enum class Version { V4, V5 };

struct TerminalSize {
  std::uint16_t width = 0;
  std::uint16_t height = 0;
  bool operator==(const TerminalSize&) const = default;
};

/// `{"Width":120,"Height":40}`, read as Go's encoding/json reads it: names in any case, others
/// ignored, a missing one is 0. Errors: InvalidArgument.
Result<TerminalSize> parse_terminal_size(std::string_view json);
std::string format_terminal_size(TerminalSize size);

/// What a client's message means to the server.
struct NothingYet {};  // incomplete, empty, or for a channel that the client can't write: ignored
struct StdinData {
  MutableBytes bytes;  // part of what was fed
};
struct StdinEnd {};
using ClientInput = std::variant<NothingYet, StdinData, StdinEnd, TerminalSize>;

/// The server's reading side: takes the pieces of a client's messages.
class ClientInputReader final {
 public:
  explicit ClientInputReader(Version version) : version_(version) {}

  /// Errors: InvalidArgument: a close signal that is not two bytes, or names no channel. A terminal
  /// size that can't be read is ignored, as the kubelet does.
  Result<ClientInput> feed(MutableBytes payload, bool ends_message);

 private:
  static Result<ClientInput> read_close(std::string_view payload);
  static ClientInput read_resize(std::string_view payload);

  Version version_;
  Demultiplexer demultiplexer_;
  std::string control_;  // of a resize or close message that came in pieces; bounded
};

/// The Status object that the server sends on StreamChannel::Error before it closes.
std::string success_status();
/// A result, not a failure of ours: reason NonZeroExitCode. 0 is a success.
std::string exit_status(int code);
/// Killed by a signal: exit code 128 + signal, as a shell says it.
std::string killed_status(int signal);
/// The command could not be started or its end is not known. `message` is shown to the user.
std::string failure_status(std::string_view message);

/// A Status read by a client. `exit_code` is absent when the command's end is not known.
struct CommandStatus {
  std::optional<int> exit_code;
  std::string message;
};
/// Errors: InvalidArgument.
Result<CommandStatus> parse_status(std::string_view json);

}  // namespace sluice::channel
