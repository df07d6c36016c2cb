#include "backend/kubernetes/streams/spdy_framing.h"

#include <utility>

namespace sluice::backend::kubernetes {
namespace {

// A client's streams and pings have odd numbers.
constexpr SpdyStreamId kError = 1;
constexpr SpdyStreamId kData = 3;
constexpr std::uint32_t kPing = 1;

bool is_ours(std::uint32_t ping) { return ping % 2 == 1; }

}  // namespace

std::string SpdyFraming::opening() {
  using Field = std::pair<std::string_view, std::string_view>;
  const std::string port = std::to_string(port_);
  const auto fields_of = [&port](std::string_view type) {
    // The request is what joins the two streams of one connection.
    return std::array{Field("streamtype", type), Field("port", port), Field("requestid", "0")};
  };
  SpdyOpener opener;
  std::string message = opener.syn_stream(kError, SpdyDirections::FromPeer, fields_of("error"));
  message += opener.syn_stream(kData, SpdyDirections::Both, fields_of("data"));
  return message;
}

Bytes SpdyFraming::header(std::size_t payload_bytes) {
  header_ = spdy_data_header(kData, payload_bytes);
  return header_;
}

std::string SpdyFraming::farewell() const { return spdy_end(kData); }

std::string SpdyFraming::keep_alive() const { return spdy_ping(kPing); }

Result<std::optional<PortEvent>> SpdyFraming::next() {
  while (!is_over()) {
    TRY(const std::optional<SpdyEvent> event, decoder_.feed(input_));
    if (!event) return std::nullopt;
    if (const auto* data = std::get_if<SpdyData>(&*event)) {
      if (auto told = event_of(*data)) return told;
    } else if (const auto* reset = std::get_if<SpdyReset>(&*event)) {
      was_reset_ = true;
      note_end(reset->stream);
    } else if (const auto ping = std::get<SpdyPing>(*event); !is_ours(ping.id)) {
      return PortAnswer{spdy_ping(ping.id)};
    }
  }
  if (was_reset_) return PortReset{};
  return PortClosed{};
}

std::optional<PortEvent> SpdyFraming::event_of(const SpdyData& data) {
  if (data.ends_stream) note_end(data.stream);
  if (data.bytes.empty()) return std::nullopt;
  if (data.stream == kData) return PortData{data.bytes};
  if (data.stream == kError) return PortTrouble{as_text(data.bytes)};
  return std::nullopt;
}

void SpdyFraming::note_end(SpdyStreamId stream) {
  if (stream == kData) data_ended_ = true;
  if (stream == kError) error_ended_ = true;
}

}  // namespace sluice::backend::kubernetes
