#include "cli/copy/copy_location.h"

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kPartial = ".sluice-partial";
// Leaves room for the rest in a file name of 255 bytes.
constexpr std::size_t kMaxNameBytes = 150;

std::string_view without_trailing_slashes(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::string prefix_of_partials(std::string_view name) {
  return fmt::format(".{}.", truncate_utf8(name, kMaxNameBytes));
}

}  // namespace

Result<CopyLocation> parse_copy_location(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (text.empty() || colon == 0) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("\"{}\": expected a path, or WORKLOAD:PATH", text));
  }
  if (colon == std::string_view::npos || text.find('/') < colon) {
    return CopyLocation{{}, std::string(text)};
  }
  const std::string_view path = text.substr(colon + 1);
  return CopyLocation{std::string(text.substr(0, colon)),
                      fmt::format("{}{}", path.starts_with('/') ? "" : "./", path)};
}

std::string base_name(std::string_view path) {
  path = without_trailing_slashes(path);
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name == "." || name == ".." ? std::string() : std::string(name);
}

std::string directory_part(std::string_view path) {
  return std::string(path.substr(0, path.rfind('/') + 1));
}

std::string join_path(std::string_view directory, std::string_view name) {
  return fmt::format("{}{}{}", directory, directory.ends_with('/') ? "" : "/", name);
}

std::string partial_name(std::string_view name, std::string_view identity) {
  return fmt::format("{}{}{}", prefix_of_partials(name), identity, kPartial);
}

std::string identity_in(std::string_view partial, std::string_view name) {
  const std::string prefix = prefix_of_partials(name);
  if (!partial.starts_with(prefix) || !partial.ends_with(kPartial)) return {};
  partial.remove_prefix(prefix.size());
  if (partial.size() < kPartial.size()) return {};
  partial.remove_suffix(kPartial.size());
  return std::string(partial);
}

}  // namespace sluice::cli
