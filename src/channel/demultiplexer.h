// Kubernetes channels: each message's first byte says which stream it belongs to. Splits messages,
// which may come in pieces, into channel and payload. Sending needs no code: leave one byte free
// before the payload and put the channel there. Source: kubernetes/apimachinery
// pkg/util/remotecommand/constants.go.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace sluice::channel {

struct ChannelPiece {
  std::uint8_t channel = 0;
  MutableBytes payload;  // without the channel byte; part of what was fed
  bool starts_message = true;
  bool ends_message = true;
};

class Demultiplexer final {
 public:
  /// Takes the next piece of a message. nullopt: nothing to pass on (an empty message, or only a
  /// first byte so far).
  std::optional<ChannelPiece> feed(MutableBytes payload, bool ends_message);

 private:
  std::optional<std::uint8_t> channel_;  // of the message under way
  bool passed_on_ = false;               // part of it
};

}  // namespace sluice::channel
