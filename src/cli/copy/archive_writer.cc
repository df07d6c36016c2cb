#include "cli/copy/archive_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "base/unique_fd.h"
#include "cli/copy/checksum.h"
#include "cli/copy/source_change.h"
#include "cli/terminal/blocking_io.h"

namespace sluice::cli {
namespace {

// tar's record: an archive's size is a multiple of it.
constexpr int kRecordBytes = 10240;
constexpr int kRecordsAtOnce = 6;
constexpr std::size_t kMaxUnsizedBytes = 16_MiB;
constexpr mode_t kPermissions = 0777;
constexpr int kReadFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

class Packing {
 public:
  Packing(int to, const std::stop_token& stop) : to_(to), stop_(stop) {}

  Result<WrittenArchive> run(const std::string& folder);

 private:
  static la_ssize_t write_block(archive* sink, void* self, const void* block, std::size_t size);
  Result<> pack_directory(UniqueFd directory, const std::string& name);
  Result<> pack_entry(int directory, const char* entry, const std::string& name);
  Result<> pack_file(int directory, const char* entry, const std::string& name);
  Result<> pack_link(int directory, const char* entry, const std::string& name,
                     const struct stat& status);
  Result<> pack_unsized(int file, const std::string& name, struct stat status);
  Result<> write_content(int file, std::uint64_t size, const std::string& name);
  Result<> write_header(const std::string& name, const struct stat& status,
                        const char* link_target = nullptr);
  void leave_out(std::string_view name, std::string_view why) {
    written_.left_out.add(fmt::format("{}: {}", name, why));
  }
  Error failure() const;

  int to_;
  const std::stop_token& stop_;
  std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry_{archive_entry_new(),
                                                                       &archive_entry_free};
  std::vector<std::byte> block_ = std::vector<std::byte>(kBlockBytes);
  Sha256 sum_;
  Result<> sink_;  // how writing to it went
  WrittenArchive written_;
  // Last: what it has kept it writes when it is freed.
  std::unique_ptr<archive, decltype(&archive_write_free)> archive_{archive_write_new(),
                                                                   &archive_write_free};
};

Result<WrittenArchive> Packing::run(const std::string& folder) {
  UniqueFd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("cannot read {}: {}", folder, std::strerror(errno)));
  }
  // Not pax: busybox's tar skips its extended headers, and long names with them.
  archive_write_set_format_gnutar(archive_.get());
  archive_write_set_bytes_per_block(archive_.get(), kRecordsAtOnce * kRecordBytes);
  archive_write_set_bytes_in_last_block(archive_.get(), kRecordBytes);
  if (archive_write_open(archive_.get(), this, nullptr, &Packing::write_block, nullptr) !=
      ARCHIVE_OK) {
    return fail(failure());
  }
  TRY_VOID(pack_directory(std::move(directory), "."));
  if (archive_write_close(archive_.get()) != ARCHIVE_OK) return fail(failure());
  written_.sha256 = sum_.hex();
  return std::move(written_);
}

Result<> Packing::pack_directory(UniqueFd directory, const std::string& name) {
  struct stat status{};
  if (::fstat(directory.get(), &status) != 0) {
    leave_out(name, std::strerror(errno));
    return {};
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(directory.get()), &::closedir);
  if (entries == nullptr) {
    leave_out(name, std::strerror(errno));
    return {};
  }
  const int descriptor = directory.release();  // closedir() closes it
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string_view entry_name = entry->d_name;
    if (entry_name == "." || entry_name == "..") continue;
    TRY_VOID(pack_entry(descriptor, entry->d_name, fmt::format("{}/{}", name, entry_name)));
  }
  return write_header(name + "/", status);
}

Result<> Packing::pack_entry(int directory, const char* entry, const std::string& name) {
  struct stat status{};
  if (::fstatat(directory, entry, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    leave_out(name, std::strerror(errno));
    return {};
  }
  if (S_ISREG(status.st_mode)) return pack_file(directory, entry, name);
  if (S_ISLNK(status.st_mode)) return pack_link(directory, entry, name, status);
  if (!S_ISDIR(status.st_mode)) {
    leave_out(name, "is no file, directory or symbolic link");
    return {};
  }
  UniqueFd inner(::openat(directory, entry, kReadFlags | O_DIRECTORY));
  if (inner) return pack_directory(std::move(inner), name);
  leave_out(name, std::strerror(errno));
  return {};
}

Result<> Packing::pack_link(int directory, const char* entry, const std::string& name,
                            const struct stat& status) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(directory, entry, target.data(), target.size() - 1);
  if (size >= 0) return write_header(name, status, target.data());
  leave_out(name, std::strerror(errno));
  return {};
}

Result<> Packing::pack_file(int directory, const char* entry, const std::string& name) {
  const UniqueFd file(::openat(directory, entry, kReadFlags));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) {
    leave_out(name, std::strerror(errno));
    return {};
  }
  if (status.st_size == 0) return pack_unsized(file.get(), name, status);
  TRY_VOID(write_header(name, status));
  TRY_VOID(write_content(file.get(), static_cast<std::uint64_t>(status.st_size), name));
  struct stat now{};
  const bool is_same = ::fstat(file.get(), &now) == 0 && is_unchanged(status, now);
  if (!is_same) leave_out(name, kChanged);
  return {};
}

/// What a kernel makes up, as in /proc, says that it is empty, and is not.
Result<> Packing::pack_unsized(int file, const std::string& name, struct stat status) {
  std::string content;
  while (true) {
    const Result<std::size_t> count = read_some(file, block_);
    if (!count) {
      leave_out(name, count.error().message);
      return {};
    }
    if (*count == 0) break;
    content += as_text({block_.data(), *count});
    if (content.size() <= kMaxUnsizedBytes) continue;
    leave_out(name, "has no size, and is large");
    return {};
  }
  status.st_size = static_cast<off_t>(content.size());
  TRY_VOID(write_header(name, status));
  const la_ssize_t written = archive_write_data(archive_.get(), content.data(), content.size());
  if (written < 0) return fail(failure());
  return {};
}

/// As much as the header said: a file that grows is cut, one that shrinks is filled up with zeros.
Result<> Packing::write_content(int file, std::uint64_t size, const std::string& name) {
  while (size > 0) {
    const std::size_t most = std::min<std::uint64_t>(size, block_.size());
    const Result<std::size_t> count = read_some(file, {block_.data(), most});
    if (!count || *count == 0) {
      leave_out(name, count ? "ended before its size" : count.error().message);
      return {};
    }
    if (archive_write_data(archive_.get(), block_.data(), *count) < 0) return fail(failure());
    size -= *count;
  }
  return {};
}

Result<> Packing::write_header(const std::string& name, const struct stat& status,
                               const char* link_target) {
  archive_entry_clear(entry_.get());
  archive_entry_copy_pathname(entry_.get(), name.c_str());
  archive_entry_set_filetype(entry_.get(), status.st_mode & S_IFMT);
  archive_entry_set_perm(entry_.get(), status.st_mode & kPermissions);
  archive_entry_set_mtime(entry_.get(), std::max<std::int64_t>(status.st_mtim.tv_sec, 0), 0);
  if (S_ISREG(status.st_mode)) archive_entry_set_size(entry_.get(), status.st_size);
  if (link_target != nullptr) archive_entry_copy_symlink(entry_.get(), link_target);
  if (archive_write_header(archive_.get(), entry_.get()) < ARCHIVE_WARN) return fail(failure());
  return {};
}

la_ssize_t Packing::write_block(archive* /*sink*/, void* self, const void* block,
                                std::size_t size) {
  auto& packing = *static_cast<Packing*>(self);
  const Bytes bytes(static_cast<const std::byte*>(block), size);
  if (packing.stop_.stop_requested()) {
    packing.sink_ = fail(cancelled());
  } else {
    packing.sink_ = write_all(packing.to_, bytes);
  }
  packing.sum_.add(bytes);
  return packing.sink_ ? static_cast<la_ssize_t>(size) : ARCHIVE_FATAL;
}

Error Packing::failure() const {
  if (!sink_) return sink_.error();
  const char* reason = archive_error_string(archive_.get());
  return {ErrorCode::Internal, reason == nullptr ? "cannot write an archive" : reason};
}

}  // namespace

Result<WrittenArchive> pack_archive(const std::string& folder, int to,
                                    const std::stop_token& stop) {
  return Packing(to, stop).run(folder);
}

}  // namespace sluice::cli
