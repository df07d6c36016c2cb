#include "backend/kubernetes/logs/log_cursor.h"

#include <algorithm>

namespace sluice::backend::kubernetes {
namespace {

std::unexpected<Error> another_file() {
  return fail(ErrorCode::Conflict, "the log file is another one");
}

}  // namespace

LogCursor::LogCursor(const std::vector<LogFile>& files, std::size_t index, std::uint64_t offset)
    : file_(files[index]), after_(index > 0 ? files[index - 1].rotated : ""), offset_(offset) {
  note_successor(files);
}

std::uint64_t LogCursor::wanted_begin() const {
  // At least one byte, known or not: nobody sends a part of a file that is empty.
  const std::uint64_t least = std::min<std::uint64_t>(offset_, 1);
  return offset_ - std::max<std::uint64_t>(overlap_.size(), least);
}

Result<std::size_t> LogCursor::take(std::string_view bytes) {
  std::size_t skip = 0;
  if (body_at_ < offset_) {
    const std::uint64_t overlap_at = offset_ - overlap_.size();
    skip = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), offset_ - body_at_));
    std::string_view known = bytes.substr(0, skip);
    if (body_at_ < overlap_at) {
      known.remove_prefix(
          static_cast<std::size_t>(std::min<std::uint64_t>(known.size(), overlap_at - body_at_)));
    }
    if (!known.empty()) {
      const std::uint64_t known_at = body_at_ + skip - known.size();
      const auto at = static_cast<std::size_t>(known_at - overlap_at);
      if (!std::string_view(overlap_).substr(at).starts_with(known)) return another_file();
    }
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
  auto found = std::ranges::find_if(files, [&](const LogFile& each) {
    return file_.is_current() ? each.is_current() || each.rotated > after_
                              : each.rotated == file_.rotated;
  });
  // The kubelet renames a file back when the runtime won't begin a new one.
  if (found == files.end() && !file_.is_current()) {
    found = std::ranges::find_if(files, [&](const LogFile& each) { return is_older(file_, each); });
    if (found != files.end() && !found->is_current()) found = files.end();
  }
  if (found == files.end()) return file_.is_current() ? Found::Nowhere : Found::Lost;
  if (*found == file_) {
    note_successor(files);
    return Found::Same;
  }
  // A file of which nothing was read is known only as the one behind that before it.
  const bool follows_known = after_.empty() || std::ranges::any_of(files, [&](const LogFile& each) {
                               return each.rotated == after_;
                             });
  if (overlap_.empty() && file_.is_current() && !follows_known) return Found::Lost;
  file_ = *found;
  note_successor(files);
  return Found::Moved;
}

LogCursor::Step LogCursor::step(const std::vector<LogFile>& files) {
  const bool is_listed = std::ranges::any_of(
      files, [&](const LogFile& each) { return each.rotated == file_.rotated; });
  const auto next = std::ranges::find_if(files, [&](const LogFile& each) {
    return is_listed ? is_older(file_, each) : !next_.empty() && each.rotated == next_;
  });
  if (next == files.end()) {
    const bool is_newest =
        std::ranges::none_of(files, [&](const LogFile& each) { return is_older(file_, each); });
    return is_newest ? Step::None : Step::Lost;
  }
  after_ = file_.rotated;
  file_ = *next;
  offset_ = 0;
  overlap_.clear();
  note_successor(files);
  return Step::Next;
}

/// Remembers the file behind this one, if it has got the name that it keeps.
void LogCursor::note_successor(const std::vector<LogFile>& files) {
  const auto next =
      std::ranges::find_if(files, [&](const LogFile& each) { return is_older(file_, each); });
  next_ = next == files.end() ? "" : next->rotated;
}

}  // namespace sluice::backend::kubernetes
