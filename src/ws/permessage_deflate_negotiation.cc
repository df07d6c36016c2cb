// Negotiation of permessage-deflate: RFC 7692 5.1 and 7.1.
#include "base/text.h"
#include "ws/field_list.h"
#include "ws/permessage_deflate.h"

namespace sluice::ws {
namespace {

constexpr std::string_view kName = "permessage-deflate";
// zlib makes raw DEFLATE with windows of 2^9 bytes and more; it reads those of 2^8, too.
constexpr int kMinOurWindowBits = 9;

/// One offer or answer: which of the four parameters it has. A window without value is legal for
/// client_max_window_bits in an offer: 0 here.
struct Extension {
  bool server_no_takeover = false;
  bool client_no_takeover = false;
  std::optional<int> server_window;
  std::optional<int> client_window;
};

std::optional<int> parse_window(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  const bool decimal = value.size() == 1 || (value.size() == 2 && value.front() == '1');
  const auto bits = parse_int64(value);
  if (!decimal || !bits || *bits < kMinWindowBits || *bits > kMaxWindowBits) return std::nullopt;
  return static_cast<int>(*bits);
}

/// False: a parameter that is unknown, given twice or has a wrong value; the extension must be
/// declined.
bool read_parameter(std::string_view parameter, Extension& extension) {
  const auto equals = parameter.find('=');
  const bool has_value = equals != std::string_view::npos;
  const std::string_view name = trim(parameter.substr(0, equals));
  const std::string_view value = has_value ? trim(parameter.substr(equals + 1)) : "";
  if (name == "server_no_context_takeover" || name == "client_no_context_takeover") {
    bool& flag = name.front() == 's' ? extension.server_no_takeover : extension.client_no_takeover;
    if (flag || has_value) return false;
    flag = true;
    return true;
  }
  const bool of_client = name == "client_max_window_bits";
  if (!of_client && name != "server_max_window_bits") return false;
  std::optional<int>& window = of_client ? extension.client_window : extension.server_window;
  if (window) return false;
  window = of_client && !has_value ? 0 : parse_window(value);
  return window.has_value();
}

/// nullopt: another extension, or not as RFC 7692 wants it.
std::optional<Extension> parse_extension(std::string_view text) {
  const auto parts = split_unquoted(text, ';');
  if (parts.empty() || !equals_ignore_case(parts.front(), kName)) return std::nullopt;
  Extension extension;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (!read_parameter(parts[i], extension)) return std::nullopt;
  }
  return extension;
}

ContextTakeover takeover(bool drop) { return drop ? ContextTakeover::Drop : ContextTakeover::Keep; }

}  // namespace

std::optional<DeflateParameters> negotiate_deflate(const FieldValues& offered) {
  for (const std::string_view text : list_elements(offered)) {
    const auto offer = parse_extension(text);
    if (!offer || offer->server_window.value_or(kMaxWindowBits) < kMinOurWindowBits) continue;
    const int client_window = offer->client_window.value_or(0);
    return DeflateParameters{.server = {offer->server_window.value_or(kMaxWindowBits),
                                        takeover(offer->server_no_takeover)},
                             .client = {client_window == 0 ? kMaxWindowBits : client_window,
                                        takeover(offer->client_no_takeover)}};
  }
  return std::nullopt;
}

std::string format_deflate(const DeflateParameters& parameters) {
  std::string text(kName);
  if (parameters.server.takeover == ContextTakeover::Drop) text += "; server_no_context_takeover";
  if (parameters.client.takeover == ContextTakeover::Drop) text += "; client_no_context_takeover";
  if (parameters.server.window_bits != kMaxWindowBits) {
    text += "; server_max_window_bits=" + std::to_string(parameters.server.window_bits);
  }
  if (parameters.client.window_bits != kMaxWindowBits) {
    text += "; client_max_window_bits=" + std::to_string(parameters.client.window_bits);
  }
  return text;
}

Result<std::optional<DeflateParameters>> accepted_deflate(const FieldValues& extensions) {
  const auto elements = list_elements(extensions);
  if (elements.empty()) return std::nullopt;
  const auto answer = parse_extension(elements.front());
  // In an answer client_max_window_bits has a value (RFC 7692 7.1.2.2).
  if (elements.size() != 1 || !answer || answer->client_window == 0 ||
      answer->client_window.value_or(kMaxWindowBits) < kMinOurWindowBits) {
    return fail(ErrorCode::Unavailable, "the server agreed to an extension that was not offered");
  }
  return DeflateParameters{.server = {answer->server_window.value_or(kMaxWindowBits),
                                      takeover(answer->server_no_takeover)},
                           .client = {answer->client_window.value_or(kMaxWindowBits),
                                      takeover(answer->client_no_takeover)}};
}

}  // namespace sluice::ws
