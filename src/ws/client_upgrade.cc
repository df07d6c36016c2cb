#include "ws/client_upgrade.h"

#include <fmt/ranges.h>

#include "ws/handshake.h"

namespace sluice::ws {

void add_upgrade(http::FieldMap& fields, const std::string& key,
                 std::span<const std::string_view> subprotocols) {
  fields.add("Upgrade", "websocket");
  fields.add("Connection", "Upgrade");
  fields.add("Sec-WebSocket-Version", std::string(kVersion));
  fields.add("Sec-WebSocket-Key", key);
  // One line: Kubernetes' API server reads only the first.
  if (!subprotocols.empty()) {
    fields.add("Sec-WebSocket-Protocol", fmt::format("{}", fmt::join(subprotocols, ", ")));
  }
}

Result<std::string> check_upgrade(const http::ResponseHead& response, std::string_view key,
                                  std::span<const std::string_view> offered_subprotocols) {
  const http::FieldMap& fields = response.fields;
  const UpgradeResponse values{
      response.status, fields.find_all("Upgrade"), fields.find_all("Connection"),
      fields.find_all("Sec-WebSocket-Accept"), fields.find_all("Sec-WebSocket-Protocol")};
  return check_upgrade(values, key, offered_subprotocols);
}

}  // namespace sluice::ws
