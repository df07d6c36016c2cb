#include "recording/recording_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/file.h"
#include "base/unique_fd.h"
#include "observe/log.h"

namespace sluice::recording {
namespace {

constexpr unsigned kOwnerOnly = 0600;

std::unexpected<Error> failed(const std::string& path, const char* call, int error_number) {
  return fail(system_error(ErrorCode::Unavailable, "the recording can't be written",
                           fmt::format("{}: {}", path, call), error_number));
}

class FolderFile final : public RecordingFile {
 public:
  FolderFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  Result<> append(std::string_view lines) override {
    const int problem = write_all(fd_.get(), lines);
    if (problem == 0) {
      size_ += lines.size();
      return {};
    }
    // What there is of a line must not stay. If that fails too, players stop at it.
    if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
      log(LogLevel::Warning, "a recording ends in the middle of a line", {{"file", path_}});
    }
    return failed(path_, "write", problem);
  }

  void remove() override {
    if (::unlink(path_.c_str()) == 0) return;
    log(LogLevel::Warning, "a recording of no session is left", {{"file", path_}});
  }

 private:
  const std::string path_;
  const UniqueFd fd_;
  std::uint64_t size_ = 0;
};

}  // namespace

Result<std::unique_ptr<RecordingFolder>> RecordingFolder::open(std::string path) {
  TRY_VOID(make_private_folder(path));
  std::unique_ptr<RecordingFolder> folder(new RecordingFolder(std::move(path)));
  const Result<> written = write_file_atomically(folder->path_ + "/.probe", "", kOwnerOnly);
  if (!written) {
    return fail(ErrorCode::Unavailable,
                fmt::format("{}: cannot be written: {}", folder->path_, written.error().message));
  }
  ::unlink((folder->path_ + "/.probe").c_str());
  return folder;
}

Result<std::unique_ptr<RecordingFile>> RecordingFolder::create(const std::string& name) {
  std::string path = path_ + "/" + name;
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(::open(path.c_str(), kFlags, kOwnerOnly));
  if (!fd) return failed(path, "open", errno);
  return std::make_unique<FolderFile>(std::move(path), std::move(fd));
}

}  // namespace sluice::recording
