#include "ws/subprotocol.h"

#include <algorithm>

#include "ws/field_list.h"

namespace sluice::ws {
namespace {

std::string join(std::span<const std::string_view> names) {
  std::string joined;
  for (const std::string_view name : names) {
    if (!joined.empty()) joined += ", ";
    joined += name;
  }
  return joined;
}

}  // namespace

Result<std::string> choose_subprotocol(const FieldValues& offered,
                                       std::span<const std::string_view> known) {
  if (offered.empty()) return std::string();
  for (const std::string_view name : list_elements(offered)) {
    if (std::ranges::find(known, name) != known.end()) return std::string(name);
  }
  return fail(ErrorCode::InvalidArgument,
              "none of the offered subprotocols is known here; known: " + join(known));
}

}  // namespace sluice::ws
