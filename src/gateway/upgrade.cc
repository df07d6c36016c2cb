#include "gateway/upgrade.h"

#include "http/status.h"
#include "ws/handshake.h"
#include "ws/subprotocol.h"

namespace sluice::gateway {
namespace {

constexpr std::array kOnePortSubprotocols = {kChannelsV4, kRawSubprotocol};
constexpr std::array kSeveralPortsSubprotocols = {kChannelsV4};

session::Framing framing_of(std::string_view subprotocol) {
  if (subprotocol == kChannelsV5) return session::Framing::ChannelsV5;
  if (subprotocol == kChannelsV4) return session::Framing::ChannelsV4;
  return session::Framing::Raw;
}

}  // namespace

std::span<const std::string_view> port_subprotocols(std::size_t ports) {
  if (ports > 1) return kSeveralPortsSubprotocols;
  return kOnePortSubprotocols;
}

Result<Upgrade> require_upgrade(const http::FieldMap& fields,
                                std::span<const std::string_view> subprotocols) {
  const ws::UpgradeRequest request{fields.find_all("Upgrade"), fields.find_all("Connection"),
                                   fields.find_all("Sec-WebSocket-Version"),
                                   fields.find_all("Sec-WebSocket-Key")};
  Upgrade upgrade;
  TRY(upgrade.accept, ws::accept_upgrade(request));
  const ws::FieldValues offered = fields.find_all("Sec-WebSocket-Protocol");
  TRY(upgrade.subprotocol, ws::choose_subprotocol(offered, subprotocols));
  upgrade.framing = framing_of(upgrade.subprotocol);
  upgrade.deflate = ws::negotiate_deflate(fields.find_all("Sec-WebSocket-Extensions"));
  return upgrade;
}

http::ResponseHead switching_protocols(const Upgrade& upgrade) {
  http::ResponseHead head;
  head.status = http::status::kSwitchingProtocols;
  head.fields.add("Upgrade", "websocket");
  head.fields.add("Connection", "Upgrade");
  head.fields.add("Sec-WebSocket-Accept", upgrade.accept);
  if (!upgrade.subprotocol.empty()) head.fields.add("Sec-WebSocket-Protocol", upgrade.subprotocol);
  if (upgrade.deflate) {
    head.fields.add("Sec-WebSocket-Extensions", ws::format_deflate(*upgrade.deflate));
  }
  return head;
}

}  // namespace sluice::gateway
