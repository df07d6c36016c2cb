// The text of a URL in messages.
#pragma once

#include <string>
#include <string_view>

namespace sluice::http {

/// Of a URL, well formed or not, without its user and password.
std::string without_user(std::string_view text);

}  // namespace sluice::http
