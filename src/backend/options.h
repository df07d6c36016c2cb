// What a request may ask of a container: parsed by the gateway, obeyed by every backend.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace sluice::backend {

/// Which pod and container; empty: the backend's default (contract section 5).
struct Target {
  std::string pod;
  std::string container;
};

struct LogOptions {
  bool follow = false;
  bool previous = false;
  bool timestamps = false;
  std::optional<WallTime> since;             // lines at or after it
  std::optional<std::uint64_t> tail_lines;   // absent: all
  std::optional<std::uint64_t> limit_bytes;  // of log text as sent; may cut a line
};

struct TerminalSize {
  std::uint16_t width = 80;
  std::uint16_t height = 24;
};

/// What becomes of an exec's process when its client goes away before it ends.
enum class OnDisconnect { Terminate, Leave };

struct StreamOptions {
  bool stdin = false;
  bool stdout = true;
  bool stderr = true;
  bool tty = false;  // stderr is merged into stdout
  std::optional<TerminalSize> size;
  /// The client can't tell stdout from stderr: one pipe for both keeps their order, where possible.
  bool combine_output = false;
};

struct ExecOptions {
  std::vector<std::string> command;  // at least one
  StreamOptions streams;
  OnDisconnect on_disconnect = OnDisconnect::Terminate;
};

using AttachOptions = StreamOptions;

}  // namespace sluice::backend
