// Which proxy a server is reached through, by the environment's word, as curl and Go have it:
// HTTPS_PROXY or HTTP_PROXY, and NO_PROXY.
#pragma once

#include <optional>
#include <string_view>

#include "cli/cluster/environment.h"
#include "http/proxy_tunnel.h"
#include "http/url.h"

namespace sluice::cli {

/// nullopt: none. Errors: InvalidArgument, naming the variable.
Result<std::optional<http::Proxy>> choose_proxy(const http::Url& server,
                                                const Environment& environment);

/// Whether NO_PROXY's list has the host: "*", a name, a domain with or without its first dot.
bool is_exempt(std::string_view no_proxy, std::string_view host);

}  // namespace sluice::cli
