// Folders and archives of the archive tests.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "base/unique_fd.h"
#include "testing/temporary_folder.h"

namespace sluice::cli::testing {

using sluice::testing::TemporaryFolder;

inline UniqueFd open_to_read(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

inline UniqueFd open_to_write(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
}

inline std::string content_of(const std::string& path) {
  return read_file(path, 64_MiB).value_or("none");
}

inline struct stat status_of(const std::string& path) {
  struct stat status{};
  ::lstat(path.c_str(), &status);
  return status;
}

}  // namespace sluice::cli::testing
