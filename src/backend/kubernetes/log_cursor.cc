#include "backend/kubernetes/log_cursor.h"

#include <algorithm>

namespace sluice::backend::kubernetes {
namespace {

std::unexpected<Error> another_file() {
  return fail(ErrorCode::Conflict, "the log file is another one");
}

}  // namespace

LogCursor::LogCursor(const std::vector<LogFile>& files, std::size_t index)
    : file_(files[index]), after_(index > 0 ? files[index - 1].rotated : "") {}

Result<std::size_t> LogCursor::take(std::string_view bytes) {
  std::size_t skip = 0;
  if (body_at_ < offset_) {
    const std::uint64_t overlap_at = wanted_begin();
    skip = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), offset_ - body_at_));
    std::string_view known = bytes.substr(0, skip);
    if (body_at_ < overlap_at) {
      known.remove_prefix(
          static_cast<std::size_t>(std::min<std::uint64_t>(known.size(), overlap_at - body_at_)));
    }
    const std::uint64_t known_at = body_at_ + skip - known.size();
    const auto at = static_cast<std::size_t>(known_at - overlap_at);
    if (!std::string_view(overlap_).substr(at).starts_with(known)) return another_file();
  }
  body_at_ += bytes.size();
  bytes.remove_prefix(skip);
  offset_ += bytes.size();
  if (bytes.size() >= kOverlapBytes) {
    overlap_ = bytes.substr(bytes.size() - kOverlapBytes);
  } else {
    overlap_ += bytes;
    if (overlap_.size() > kOverlapBytes) overlap_.erase(0, overlap_.size() - kOverlapBytes);
  }
  return skip;
}

Result<> LogCursor::end_body() const {
  if (body_at_ < offset_) return another_file();
  return {};
}

LogCursor::Found LogCursor::find_in(const std::vector<LogFile>& files) {
  const auto found = std::ranges::find_if(files, [&](const LogFile& each) {
    return file_.is_current() ? each.is_current() || each.rotated > after_
                              : each.rotated == file_.rotated;
  });
  if (found == files.end()) return file_.is_current() ? Found::Nowhere : Found::Lost;
  if (*found == file_) return Found::Same;
  // A file of which nothing was read is known only as the one behind that before it.
  const bool follows_known = after_.empty() || std::ranges::any_of(files, [&](const LogFile& each) {
                               return each.rotated == after_;
                             });
  if (overlap_.empty() && file_.is_current() && !follows_known) return Found::Lost;
  file_ = *found;
  return Found::Moved;
}

bool LogCursor::step(const std::vector<LogFile>& files) {
  const auto next =
      std::ranges::find_if(files, [&](const LogFile& each) { return is_older(file_, each); });
  if (next == files.end()) return false;
  after_ = file_.rotated;
  file_ = *next;
  offset_ = 0;
  overlap_.clear();
  return true;
}

}  // namespace sluice::backend::kubernetes
