#include "cli/logs/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <system_error>

#include <fmt/format.h>

#include "base/base64.h"

namespace sluice::cli {
namespace {

constexpr mode_t kMode = 0666;  // less the umask
constexpr mode_t kPermissions = 07777;

std::unexpected<Error> unwritable(ErrorCode code, const std::string& path) {
  return fail(
      code, fmt::format("{}: cannot be written: {}", path, std::generic_category().message(errno)));
}

/// Where a symbolic link leads: that is what is replaced, not the link.
std::string resolve(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         std::free);
  return real ? std::string(real.get()) : path;
}

std::string temporary_beside(const std::string& path, Random& random) {
  std::array<std::byte, 4> bytes{};
  random.fill(bytes);
  const std::size_t name = path.rfind('/') + 1;  // 0 without a slash
  return fmt::format("{}.{}.{}", path.substr(0, name), path.substr(name), hex_encode(bytes));
}

}  // namespace

Result<OutputFile> OutputFile::rewrite(const std::string& path) {
  UniqueFd descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode));
  if (!descriptor) return unwritable(ErrorCode::InvalidArgument, path);
  return OutputFile(std::move(descriptor), path);
}

Result<OutputFile> OutputFile::replace(const std::string& path, Random& random) {
  struct stat before{};
  const bool is_there = ::stat(path.c_str(), &before) == 0;
  if (is_there && !S_ISREG(before.st_mode)) return rewrite(path);
  const std::string target = is_there ? resolve(path) : path;
  std::string temporary = temporary_beside(target, random);
  UniqueFd descriptor(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode));
  if (!descriptor) return unwritable(ErrorCode::InvalidArgument, path);
  OutputFile file(std::move(descriptor), target);
  file.temporary_ = std::move(temporary);
  // Who may read it stays as it was.
  if (is_there && ::fchmod(file.descriptor(), before.st_mode & kPermissions) != 0) {
    return unwritable(ErrorCode::InvalidArgument, path);
  }
  return file;
}

OutputFile::~OutputFile() {
  if (descriptor_ && !temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<> OutputFile::commit() {
  if (temporary_.empty()) return {};
  if (::fsync(descriptor_.get()) != 0) return unwritable(ErrorCode::Internal, path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return unwritable(ErrorCode::Internal, path_);
  }
  descriptor_.reset();
  return {};
}

}  // namespace sluice::cli
