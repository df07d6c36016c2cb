// ChannelFraming: a port as a pair of channels (v4.channel.k8s.io): one for data, one for what went
// wrong. The first message on each is the port. What every server speaks. Source:
// kubernetes/cri-streaming pkg/streaming/portforward/websocket.go.
#pragma once

#include "backend/kubernetes/streams/port_framing.h"
#include "channel/demultiplexer.h"

namespace sluice::backend::kubernetes {

class ChannelFraming final : public PortFraming {
 public:
  static constexpr std::string_view kSubprotocol = "v4.channel.k8s.io";

  std::string opening() override { return {}; }
  Bytes header(std::size_t payload_bytes) override;
  std::string farewell() const override { return {}; }
  std::string keep_alive() const override { return {}; }
  bool ends_with_close() const override { return true; }
  void feed(const ws::MessagePiece& piece) override;
  Result<std::optional<PortEvent>> next() override;

 private:
  enum class Announcement { Expected, Seen };

  std::optional<PortEvent> event_of(const channel::ChannelPiece& piece);

  channel::Demultiplexer demultiplexer_;
  Announcement data_ = Announcement::Expected;
  Announcement error_ = Announcement::Expected;
  std::optional<PortEvent> event_;
};

}  // namespace sluice::backend::kubernetes
