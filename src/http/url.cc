#include "http/url.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/text.h"
#include "http/url_text.h"

namespace sluice::http {
namespace {

constexpr std::int64_t kMaxPort = 65535;

std::unexpected<Error> bad_url(const std::string& text, const char* problem) {
  return fail(ErrorCode::InvalidArgument, "\"" + without_user(text) + "\" " + problem);
}

/// Boost takes a port that is too large modulo 65536, and one that is no number for none. `text`
/// has no user information.
Result<std::uint16_t> port_of(const std::string& text, std::uint16_t usual) {
  const std::string rest = text.substr(text.find("://") + 3);
  const std::string authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t colon = authority.rfind(':');
  const bool has_port =
      colon != std::string::npos && authority.find(']', colon) == std::string::npos;
  const std::string digits = has_port ? authority.substr(colon + 1) : "";
  if (digits.empty()) return usual;
  const auto port = parse_int64(digits);
  if (port && *port >= 1 && *port <= kMaxPort) return static_cast<std::uint16_t>(*port);
  return bad_url(text, "has a bad port: port must be 1 to 65535");
}

}  // namespace

std::string without_user(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return std::string(text);
  const std::size_t scheme = text.find("://");
  const std::size_t begin = scheme < at ? scheme + 3 : 0;
  return std::string(text.substr(0, begin)) + "..." + std::string(text.substr(at));
}

Result<Url> parse_url(const std::string& text) {
  const auto parsed = boost::urls::parse_uri(text);
  const bool http = parsed && parsed->scheme_id() == boost::urls::scheme::http;
  const bool https = parsed && parsed->scheme_id() == boost::urls::scheme::https;
  if ((!http && !https) || parsed->host().empty()) {
    return bad_url(text, "is no http or https URL");
  }
  if (parsed->has_userinfo()) return bad_url(text, "must have no user and password");
  Url url{.secure = https};
  TRY(url.port, port_of(text, https ? 443 : 80));
  url.host = parsed->host_address();
  url.authority = std::string(parsed->encoded_host_and_port());
  url.target = std::string(parsed->encoded_target());
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

std::string to_string(const Url& url) {
  return (url.secure ? "https://" : "http://") + url.authority + url.target;
}

bool is_confidential(const Url& url) {
  return url.secure || url.host == "localhost" || url.host == "127.0.0.1" || url.host == "::1";
}

}  // namespace sluice::http
