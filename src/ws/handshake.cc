#include "ws/handshake.h"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "base/base64.h"
#include "base/text.h"
#include "http/status.h"
#include "ws/field_list.h"

namespace sluice::ws {
namespace {

constexpr std::string_view kAcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3
constexpr std::size_t kKeyBytes = 16;

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string accept_for(std::string_view key) {
  const std::string text = std::string(key).append(kAcceptGuid);
  std::array<std::byte, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
             EVP_sha1(), nullptr);
  return base64_encode(Bytes(digest).first(size));
}

/// The standard alphabet with padding, as RFC 6455 4.1 wants the key.
bool is_key(std::string_view key) {
  const auto bytes = base64_decode_any(key);
  return bytes && bytes->size() == kKeyBytes && base64_encode(as_bytes(*bytes)) == key;
}

std::unexpected<Error> bad_answer(std::string details) {
  return fail(ErrorCode::Unavailable, "the server did not accept the WebSocket upgrade",
              std::move(details));
}

}  // namespace

Result<std::string> accept_upgrade(const UpgradeRequest& request) {
  if (!has_token(request.upgrade, "websocket") || !has_token(request.connection, "upgrade")) {
    return fail(ErrorCode::UpgradeRequired,
                "this is a WebSocket endpoint: send Upgrade: websocket and Connection: Upgrade");
  }
  if (request.version.size() != 1 || trim(request.version.front()) != kVersion) {
    return fail(ErrorCode::UpgradeRequired, "Sec-WebSocket-Version must be 13");
  }
  if (request.key.size() != 1 || !is_key(trim(request.key.front()))) {
    return fail(ErrorCode::InvalidArgument,
                "Sec-WebSocket-Key must be given once and be 16 bytes in base64");
  }
  return accept_for(trim(request.key.front()));
}

std::string make_key(Random& random) {
  std::array<std::byte, kKeyBytes> bytes;
  random.fill(bytes);
  return base64_encode(bytes);
}

Result<std::string> check_upgrade(const UpgradeResponse& response, std::string_view key,
                                  std::span<const std::string_view> offered_subprotocols) {
  if (response.status != http::status::kSwitchingProtocols) {
    return bad_answer("it answered status " + std::to_string(response.status));
  }
  if (!has_token(response.upgrade, "websocket") || !has_token(response.connection, "upgrade")) {
    return bad_answer("its answer lacks Upgrade: websocket or Connection: Upgrade");
  }
  if (response.accept.size() != 1 || trim(response.accept.front()) != accept_for(key)) {
    return bad_answer("its Sec-WebSocket-Accept does not fit the key");
  }
  if (response.protocol.empty()) return std::string();
  const std::string_view chosen = trim(response.protocol.front());
  const bool offered =
      std::ranges::find(offered_subprotocols, chosen) != offered_subprotocols.end();
  if (response.protocol.size() != 1 || !offered) {
    return bad_answer("it chose a subprotocol that was not offered");
  }
  return std::string(chosen);
}

}  // namespace sluice::ws
