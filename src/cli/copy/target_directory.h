// TargetDirectory: a directory into which somebody else's tree is unpacked. Names come from them,
// so each is walked step by step and no symbolic link is ever followed: nothing outside can be
// reached, whatever the names say and whatever was unpacked before. Blocking.
#pragma once

#include <sys/stat.h>

#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace sluice::cli {

struct FileAttributes {
  mode_t mode = 0;  // read, write and execute bits count
  timespec modified{};
};

/// All names are relative to it: "a/b", "./a/b". Directories on the way are made as needed. What
/// was there under a name is replaced, except for directories. Errors, unless a function says
/// otherwise: InvalidArgument: refused, because of its name or of what is there; Internal: the
/// system's.
class TargetDirectory {
 public:
  /// It is made where there is none; what is above it must be there. Errors: InvalidArgument.
  static Result<TargetDirectory> open(const std::string& path);

  /// Its attributes are set by finish(): others may still come into it.
  Result<> make_directory(std::string_view name, const FileAttributes& attributes);
  /// An empty file to write to, of which only finish_file() sets the attributes.
  Result<UniqueFd> make_file(std::string_view name);
  static Result<> finish_file(int file, const FileAttributes& attributes);
  Result<> remove_file(std::string_view name);
  /// Refused unless `target` leads to where only this directory's own entries are.
  Result<> make_symbolic_link(std::string_view name, const std::string& target, timespec modified);
  Result<> make_hard_link(std::string_view name, std::string_view existing);
  Result<> finish();

 private:
  struct Step {
    std::string name;
    UniqueFd directory;
  };
  struct Place {
    int directory;
    std::string name;  // empty: the directory itself
  };

  explicit TargetDirectory(UniqueFd root) : root_(std::move(root)) {}
  Result<Place> find(std::string_view name);
  Result<Place> find_entry(std::string_view name);
  Result<> enter(const std::vector<std::string>& steps);
  int innermost() const { return path_.empty() ? root_.get() : path_.back().directory.get(); }

  UniqueFd root_;
  std::vector<Step> path_;  // where the last entry was: the next is mostly beside it
  std::map<std::string, FileAttributes, std::greater<>> directories_;  // the inner ones first
};

/// Whether a symbolic link in a directory so many steps below the root stays below the root. Only
/// leading ".." are accepted: one behind a name may lead anywhere if that name is a link, too.
bool stays_inside(std::size_t depth, std::string_view target);

}  // namespace sluice::cli
