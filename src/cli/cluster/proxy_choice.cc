#include "cli/cluster/proxy_choice.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace sluice::cli {
namespace {

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

bool is_within(std::string_view host, std::string_view domain) {
  if (domain.starts_with('.')) domain.remove_prefix(1);
  if (domain.empty() || host.size() < domain.size()) return false;
  const std::size_t begin = host.size() - domain.size();
  return equals_ignore_case(host.substr(begin), domain) && (begin == 0 || host[begin - 1] == '.');
}

}  // namespace

bool is_exempt(std::string_view no_proxy, std::string_view host) {
  return std::ranges::any_of(split(no_proxy, ','), [host](std::string_view part) {
    const std::string_view entry = trim(part);
    return entry == "*" || is_within(host, entry);
  });
}

Result<std::optional<http::Proxy>> choose_proxy(const http::Url& server,
                                                const Environment& environment) {
  const auto either = [&](const char* lower, const char* upper) {
    auto value = environment.get(lower);
    return value ? value : environment.get(upper);
  };
  const auto text =
      server.secure ? either("https_proxy", "HTTPS_PROXY") : either("http_proxy", "HTTP_PROXY");
  if (!text || is_loopback(server.host)) return std::nullopt;
  if (is_exempt(either("no_proxy", "NO_PROXY").value_or(""), server.host)) return std::nullopt;
  const bool has_scheme = text->contains("://");
  const Result<http::Proxy> proxy = http::parse_proxy(has_scheme ? *text : "http://" + *text);
  if (proxy) return *proxy;
  return fail(
      ErrorCode::InvalidArgument,
      std::string(server.secure ? "HTTPS_PROXY" : "HTTP_PROXY") + ": " + proxy.error().message);
}

}  // namespace sluice::cli
