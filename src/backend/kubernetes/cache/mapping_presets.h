// The mappings that are built in, as the YAML that a file would have.
#pragma once

#include <optional>
#include <string_view>

namespace sluice::backend::kubernetes {

/// "runai" or "kubernetes"; nullopt: there is none of that name.
std::optional<std::string_view> mapping_preset(std::string_view name);

}  // namespace sluice::backend::kubernetes
