// SpdyFraming: a port as two SPDY streams, one for data and one for what went wrong, tunnelled in
// the messages of a WebSocket, whose boundaries mean nothing. What kubectl speaks. Sources:
// kubernetes/cri-streaming pkg/streaming/portforward/httpstream.go, kubernetes/client-go
// tools/portforward. Why beside channel_framing.h: docs/adr/0008-port-forward-by-spdy.md.
#pragma once

#include <array>
#include <cstdint>

#include "backend/kubernetes/streams/port_framing.h"
#include "backend/kubernetes/streams/spdy_frames.h"

namespace sluice::backend::kubernetes {

class SpdyFraming final : public PortFraming {
 public:
  static constexpr std::string_view kSubprotocol = "SPDY/3.1+portforward.k8s.io";

  explicit SpdyFraming(std::uint16_t port) : port_(port) {}

  std::string opening() override;
  Bytes header(std::size_t payload_bytes) override;
  std::string farewell() const override;
  std::string keep_alive() const override;
  /// The data stream has an end of its own, so a WebSocket that just closes has lost something.
  bool ends_with_close() const override { return false; }
  void feed(const ws::MessagePiece& piece) override { input_ = piece.payload; }
  Result<std::optional<PortEvent>> next() override;

 private:
  std::optional<PortEvent> event_of(const SpdyData& data);
  void note_end(SpdyStreamId stream);
  bool is_over() const { return data_ended_ && error_ended_; }

  std::uint16_t port_;
  std::array<std::byte, kSpdyHeaderBytes> header_{};
  SpdyDecoder decoder_;
  Bytes input_;  // received and not yet decoded
  // containerd ends the data before it says what went wrong, so the connection ends with both.
  bool data_ended_ = false;
  bool error_ended_ = false;
  bool was_reset_ = false;
};

}  // namespace sluice::backend::kubernetes
