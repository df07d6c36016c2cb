#include "observe/audit_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fmt/format.h>

#include "base/file.h"

namespace sluice {
namespace {

constexpr unsigned kOwnerOnly = 0600;

}  // namespace

Result<> AuditFile::append(std::string_view lines) {
  if (options_.path.empty()) {
    const int problem = write_all(STDOUT_FILENO, lines);
    if (problem != 0) return failed("write", problem);
    return {};
  }
  TRY_VOID(lock_newest());
  Result<> appended = append_locked(lines);
  if (file_) (void)::flock(file_.get(), LOCK_UN);
  return appended;
}

Result<> AuditFile::append_locked(std::string_view lines) {
  if (size_ > 0 && size_ + lines.size() > options_.max_bytes) TRY_VOID(rotate());
  if (const int problem = write_all(file_.get(), lines); problem != 0) {
    // What was written of them comes again.
    if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) file_.reset();
    return failed("write", problem);
  }
  if (options_.sync && ::fdatasync(file_.get()) != 0) return failed("fdatasync", errno);
  return {};
}

/// Locked, so that nobody else writes, cuts or rotates it; and its size, which others change.
Result<> AuditFile::lock_newest() {
  while (true) {
    if (!file_) TRY_VOID(open());
    if (::flock(file_.get(), LOCK_EX) != 0) return failed("flock", errno);
    if (is_in_place()) break;
    file_.reset();  // it was rotated meanwhile
  }
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
