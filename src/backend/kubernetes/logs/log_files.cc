#include "backend/kubernetes/logs/log_files.h"

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr std::string_view kLog = ".log";
constexpr std::string_view kCompressed = ".gz";
constexpr std::string_view kTimeShape = "00000000-000000";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_time(std::string_view text) {
  return std::ranges::equal(
      text, kTimeShape, [](char c, char shape) { return shape == '0' ? is_digit(c) : c == shape; });
}

/// nullopt: the name is none of a log file.
std::optional<LogFile> parse_name(std::string_view name) {
  const std::size_t dot = std::min(name.find('.'), name.size());
  const std::optional<std::int64_t> restart = parse_int64(name.substr(0, dot));
  if (!restart || *restart < 0 || *restart > std::numeric_limits<int>::max()) return std::nullopt;
  name.remove_prefix(dot);
  if (!name.starts_with(kLog)) return std::nullopt;
  name.remove_prefix(kLog.size());
  LogFile file{static_cast<int>(*restart), {}, false};
  if (name.empty()) return file;
  file.compressed = name.ends_with(kCompressed);
  if (file.compressed) name.remove_suffix(kCompressed.size());
  if (!name.starts_with('.') || !is_time(name.substr(1))) return std::nullopt;
  file.rotated = name.substr(1);
  return file;
}

/// All that a directory listing of Go's http.FileServer names, in its order.
std::vector<LogFile> files_in(std::string_view listing) {
  constexpr std::string_view kBegin = "<a href=\"";
  std::vector<LogFile> files;
  for (std::size_t at = listing.find(kBegin); at != std::string_view::npos;
       at = listing.find(kBegin)) {
    listing.remove_prefix(at + kBegin.size());
    // Names of log files need no escape in a link.
    auto file = parse_name(listing.substr(0, listing.find('"')));
    if (file) files.push_back(*std::move(file));
  }
  return files;
}

}  // namespace

std::string LogFile::name() const {
  std::string name = std::to_string(restart) + ".log";
  if (!rotated.empty()) name += "." + rotated;
  if (compressed) name += kCompressed;
  return name;
}

bool is_older(const LogFile& a, const LogFile& b) {
  if (a.is_current()) return false;
  return b.is_current() || a.rotated < b.rotated;
}

std::vector<LogFile> files_of_run(std::string_view listing, int restart) {
  std::vector<LogFile> files = files_in(listing);
  std::erase_if(files, [restart](const LogFile& file) { return file.restart != restart; });
  std::ranges::sort(files, [](const LogFile& a, const LogFile& b) {
    return a.rotated == b.rotated ? !a.compressed && b.compressed : is_older(a, b);
  });
  const auto same = std::ranges::unique(files, {}, &LogFile::rotated);
  files.erase(same.begin(), same.end());
  return files;
}

std::optional<int> newest_run(std::string_view listing, int restart) {
  std::optional<int> newest;
  for (const LogFile& file : files_in(listing)) {
    if (file.restart <= restart) newest = std::max(newest.value_or(0), file.restart);
  }
  return newest;
}

}  // namespace sluice::backend::kubernetes
