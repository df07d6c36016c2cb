#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "base/unique_fd.h"
#include "base/write_out.h"

namespace sluice {
namespace {

Error file_error(std::string_view call, const std::string& path, int error_number) {
  const bool absent = error_number == ENOENT || error_number == ENOTDIR;
  return system_error(absent ? ErrorCode::NotFound : ErrorCode::Unavailable,
                      std::generic_category().message(error_number),
                      fmt::format("{} {}", call, path), error_number);
}

Result<> write_and_sync(int fd, const std::string& path, std::string_view content) {
  if (const int problem = write_all(fd, content); problem != 0) {
    return fail(file_error("write", path, problem));
  }
  if (::fsync(fd) != 0) return fail(file_error("fsync", path, errno));
  return {};
}

/// Makes the rename itself survive a power cut.
Result<> sync_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory =
      slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail(file_error("open", directory, errno));
  // EINVAL: a file system that can't sync directories has nothing to wait for.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return fail(file_error("fsync", directory, errno));
  return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t limit_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(file_error("open", path, errno));
  std::string content;
  char block[16 << 10];
  while (true) {
    const ssize_t got = ::read(fd.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(file_error("read", path, errno));
    if (got == 0) return content;
    content.append(block, static_cast<std::size_t>(got));
    if (content.size() > limit_bytes) {
      return fail(ErrorCode::TooLarge, fmt::format("larger than {} bytes", limit_bytes));
    }
  }
}

int write_all(int descriptor, std::string_view bytes) { return write_out(descriptor, bytes); }

Result<> write_file_atomically(const std::string& path, std::string_view content, unsigned mode) {
  std::string temporary = path + ".XXXXXX";
  const UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600 until it is complete
  if (!fd) return fail(file_error("create", temporary, errno));
  Result<> result = write_and_sync(fd.get(), temporary, content);
  if (result && ::fchmod(fd.get(), mode) != 0) result = fail(file_error("chmod", temporary, errno));
  if (result && ::rename(temporary.c_str(), path.c_str()) != 0) {
    result = fail(file_error("rename", temporary, errno));
  }
  if (!result) {
    ::unlink(temporary.c_str());
    return result;
  }
  return sync_directory_of(path);
}

Result<> make_private_folder(const std::string& path) {
  if (path.empty()) return {};
  std::error_code problem;
  const bool made = std::filesystem::create_directories(path, problem);
  if (made) std::filesystem::permissions(path, std::filesystem::perms::owner_all, problem);
  if (!problem) return {};
  return fail(ErrorCode::Unavailable,
              fmt::format("{}: cannot be made: {}", path, problem.message()));
}

}  // namespace sluice
