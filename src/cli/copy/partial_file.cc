#include "cli/copy/partial_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "base/unique_fd.h"
#include "cli/copy/checksum.h"
#include "cli/copy/copy_location.h"
#include "cli/terminal/blocking_io.h"

namespace sluice::cli {
namespace {

constexpr mode_t kOwnFile = 0600;

std::unexpected<Error> system_failure(std::string_view path) {
  return fail(ErrorCode::Internal, fmt::format("{}: {}", path, std::strerror(errno)));
}

std::unexpected<Error> refuse(std::string_view path, std::string_view why) {
  return fail(ErrorCode::InvalidArgument, fmt::format("{}: {}", path, why));
}

/// What a link there stands for may have no path, and could not be replaced if it had.
bool is_in_procfs(const std::string& folder) {
  struct statfs status{};
  return ::statfs(folder.empty() ? "." : folder.c_str(), &status) == 0 &&
         status.f_type == PROC_SUPER_MAGIC;
}

}  // namespace

Result<std::string> follow_to_file(const std::string& path) {
  constexpr int kMostLinks = 40;  // as path_resolution(7) has it
  constexpr std::string_view kNoFile =
      "is there and no file; `sluice exec NAME -- cat PATH` writes to pipes and devices";
  std::string file = path;
  for (int links = 0;; ++links) {
    const std::string folder = directory_part(file);
    struct stat status{};
    if (::stat(folder.empty() ? "." : folder.c_str(), &status) != 0) {
      return refuse(folder, errno == ENOENT ? "no such directory" : std::strerror(errno));
    }
    if (is_in_procfs(folder)) return refuse(path, kNoFile);
    if (::lstat(file.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return file;
    if (S_ISDIR(status.st_mode)) return refuse(path, "is a directory");
    if (!S_ISLNK(status.st_mode)) return refuse(path, kNoFile);
    if (links == kMostLinks) return refuse(path, "is a symbolic link that leads nowhere");
    std::error_code error;
    const std::string link = std::filesystem::read_symlink(file, error).string();
    if (error) return refuse(file, error.message());
    file = link.starts_with('/') ? link : folder + link;
  }
}

FoundPartial find_partial(const std::string& target) {
  const std::string folder = directory_part(target);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(
      ::opendir(folder.empty() ? "." : folder.c_str()), &::closedir);
  FoundPartial found;
  if (entries == nullptr) return found;
  while (const dirent* entry = ::readdir(entries.get())) {
    std::string identity = identity_in(entry->d_name, base_name(target));
    if (identity.empty()) continue;
    struct stat status{};
    if (::fstatat(::dirfd(entries.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
      continue;
    }
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    if (found.identity.empty() || bytes > found.bytes) found = {std::move(identity), bytes};
  }
  return found;
}

std::string partial_path(const std::string& target, std::string_view identity) {
  return directory_part(target) + partial_name(base_name(target), identity);
}

Result<std::string> receive_file(int from, const std::string& partial, std::uint64_t offset,
                                 std::optional<std::uint64_t> size, const std::stop_token& stop) {
  const UniqueFd file(::open(partial.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kOwnFile));
  if (!file || ::ftruncate(file.get(), static_cast<off_t>(offset)) != 0) {
    return system_failure(partial);
  }
  Sha256 sum;
  std::vector<std::byte> block(kBlockBytes);
  std::uint64_t done = 0;
  while (!stop.stop_requested()) {
    const bool kept = done < offset;  // is read for the checksum
    TRY(const std::size_t count, read_some(kept ? file.get() : from, block));
    if (count == 0 && done < size.value_or(0)) {
      return fail(ErrorCode::Unavailable,
                  "it ended before its size, as what a kernel makes up may; "
                  "`sluice exec NAME -- cat PATH` shows it");
    }
    if (count == 0) return sum.hex();
    // Behind the size: it has grown meanwhile.
    const std::uint64_t most = size ? *size - done : count;
    const Bytes bytes(block.data(), std::min<std::uint64_t>(count, most));
    sum.add(bytes);
    if (!kept) {
      const Result<> written = write_all(file.get(), bytes);
      if (!written) {
        return fail(ErrorCode::Internal, fmt::format("{}: {}", partial, written.error().message));
      }
    }
    done += bytes.size();
  }
  return fail(cancelled());
}

Result<> put_in_place(const std::string& partial, const std::string& target,
                      const FileAttributes& attributes) {
  const UniqueFd file(::open(partial.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return system_failure(partial);
  TRY_VOID(TargetDirectory::finish_file(file.get(), attributes));
  if (std::rename(partial.c_str(), target.c_str()) != 0) return system_failure(target);
  return {};
}

}  // namespace sluice::cli
