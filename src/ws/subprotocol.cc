#include "ws/subprotocol.h"

#include <algorithm>

#include <fmt/ranges.h>

#include "ws/field_list.h"

namespace sluice::ws {

Result<std::string> choose_subprotocol(const FieldValues& offered,
                                       std::span<const std::string_view> known) {
  if (offered.empty()) return std::string();
  for (const std::string_view name : list_elements(offered)) {
    if (std::ranges::find(known, name) != known.end()) return std::string(name);
  }
  return fail(ErrorCode::InvalidArgument,
              fmt::format("none of the offered subprotocols is known here; known: {}",
                          fmt::join(known, ", ")));
}

}  // namespace sluice::ws
