#include "http/url.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace sluice::http {

Result<Url> parse_url(const std::string& text) {
  const auto parsed = boost::urls::parse_uri(text);
  const bool http = parsed && parsed->scheme_id() == boost::urls::scheme::http;
  const bool https = parsed && parsed->scheme_id() == boost::urls::scheme::https;
  if ((!http && !https) || parsed->host().empty() || parsed->has_userinfo()) {
    return fail(ErrorCode::InvalidArgument, "\"" + text + "\" is no http or https URL");
  }
  Url url{.secure = https};
  url.host = parsed->host_address();
  url.authority = std::string(parsed->encoded_host_and_port());
  url.port =
      parsed->has_port() ? parsed->port_number() : static_cast<std::uint16_t>(https ? 443 : 80);
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
