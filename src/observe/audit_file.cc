#include "observe/audit_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fmt/format.h>

#include "base/write_out.h"

namespace sluice {
namespace {

constexpr unsigned kOwnerOnly = 0600;

}  // namespace

Result<> AuditFile::append(std::string_view& lines) {
  if (options_.path.empty()) {
    const int problem = write_out(STDOUT_FILENO, lines);
    if (problem != 0) return failed("write", problem);
    return {};
  }
  TRY_VOID(lock_newest());
  Result<> appended;
  while (appended && !lines.empty()) appended = append_locked(lines);
  if (file_) (void)::flock(file_.get(), LOCK_UN);
  return appended;
}

/// As many of them as the file has room for.
Result<> AuditFile::append_locked(std::string_view& lines) {
  while (size_ > 0 && fitting(lines) == 0) TRY_VOID(rotate());
  const std::size_t count = std::max(fitting(lines), lines.find('\n') + 1);
  std::string_view rest = lines.substr(0, count);
  const char* call = "write";
  int problem = write_out(file_.get(), rest);
  // EINVAL: a pipe, say, has no disk to wait for.
  if (problem == 0 && options_.sync && ::fdatasync(file_.get()) != 0 && errno != EINVAL) {
    call = "fdatasync";
    problem = errno;
  }
  // What there is of them goes, so that no part of a line stays, and comes again as a whole.
  if (problem != 0 && ::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0) {
    return failed(call, problem);
  }
  lines.remove_prefix(count - rest.size());
  if (problem != 0) return failed(call, problem);
  return measure();
}

/// How many bytes of whole lines there is room for.
std::size_t AuditFile::fitting(std::string_view lines) const {
  if (size_ >= options_.max_bytes) return 0;
  const std::uint64_t room = options_.max_bytes - size_;
  if (lines.size() <= room) return lines.size();
  return lines.substr(0, static_cast<std::size_t>(room)).rfind('\n') + 1;  // npos + 1 is 0
}

/// Locked, so that nobody else writes, cuts or rotates it; and its size, which others change.
Result<> AuditFile::lock_newest() {
  while (true) {
    if (!file_) TRY_VOID(open());
    if (::flock(file_.get(), LOCK_EX) != 0) return failed("flock", errno);
    if (is_in_place()) break;
    file_.reset();  // it was rotated meanwhile
  }
  return measure();
}

Result<> AuditFile::measure() {
  struct stat status{};
  if (::fstat(file_.get(), &status) != 0) return failed("fstat", errno);
  size_ = static_cast<std::uint64_t>(status.st_size);
  return {};
}

Result<> AuditFile::open() {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC;
  file_.reset(::open(options_.path.c_str(), kFlags, kOwnerOnly));
  if (!file_) return failed("open", errno);
  return {};
}

bool AuditFile::is_in_place() const {
  struct stat named{};
  struct stat opened{};
  return ::stat(options_.path.c_str(), &named) == 0 && ::fstat(file_.get(), &opened) == 0 &&
         named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

Result<> AuditFile::rotate() {
  const auto name = [this](unsigned age) { return fmt::format("{}.{}", options_.path, age); };
  for (unsigned age = options_.keep; age > 1; --age) {
    const int moved = std::rename(name(age - 1).c_str(), name(age).c_str());
    if (moved != 0 && errno != ENOENT) return failed("rename", errno);
  }
  if (std::rename(options_.path.c_str(), name(1).c_str()) != 0) return failed("rename", errno);
  file_.reset();  // unlocked: whoever waits for it sees that it was rotated
  return lock_newest();
}

std::unexpected<Error> AuditFile::failed(const char* call, int error_number) const {
  const std::string where = options_.path.empty() ? "stdout" : options_.path;
  return fail(ErrorCode::Unavailable, fmt::format("{}: {}: {}", where, call,
                                                  std::generic_category().message(error_number)));
}

}  // namespace sluice
