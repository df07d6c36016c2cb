#include "backend/local/state_directory.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace sluice::backend::local {
namespace {

std::unexpected<Error> unusable(const std::string& path, std::string_view what, int error_number) {
  char buffer[128];
  return fail(ErrorCode::Unavailable, "stateDir " + path + ": " + std::string(what) + ": " +
                                          strerror_r(error_number, buffer, sizeof buffer));
}

bool is_open_to_others(const std::string& path) {
  constexpr auto kOthers = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
  std::error_code error;
  const auto found = std::filesystem::status(path, error).permissions();
  return !error && (found & kOthers) != std::filesystem::perms::none;
}

}  // namespace

Result<StateDirectory> StateDirectory::open(const std::string& path) {
  std::error_code error;
  const bool is_new = std::filesystem::create_directories(path, error);
  if (error) return unusable(path, "can't be made", error.value());
  if (is_new || is_open_to_others(path)) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
    if (error) return unusable(path, "can't be closed to other users", error.value());
  }
  UniqueFd lock(::open((path + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return unusable(path, "can't be written", errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return unusable(path, "can't be locked", errno);
    return fail(ErrorCode::Unavailable,
                "stateDir " + path +
                    ": used by another sluiced; stop that one, or give this one "
                    "a directory of its own");
  }
  StateDirectory directory(path, std::move(lock));
  std::filesystem::remove_all(directory.pods(), error);
  if (error) return unusable(path, "can't be emptied", error.value());
  std::filesystem::create_directory(directory.pods(), error);
  if (error) return unusable(path, "can't be written", error.value());
  return directory;
}

}  // namespace sluice::backend::local
