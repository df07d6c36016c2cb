#include "cli/copy/target_directory.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::cli {
namespace {

constexpr mode_t kPermissions = 0777;
constexpr mode_t kOwnDirectory = 0700;  // until finish(): entries can be made in it
constexpr mode_t kOwnFile = 0600;
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::unexpected<Error> system_failure(std::string_view name, int error) {
  return fail(ErrorCode::Internal, fmt::format("{}: {}", name, std::strerror(error)));
}

std::unexpected<Error> refuse(std::string_view name, std::string_view why) {
  return fail(ErrorCode::InvalidArgument, fmt::format("{}: {}", name, why));
}

/// The names in a path, without "." and empty ones.
std::vector<std::string> steps_of(std::string_view path) {
  std::vector<std::string> steps;
  for (const std::string_view step : split(path, '/')) {
    if (!step.empty() && step != ".") steps.emplace_back(step);
  }
  return steps;
}

std::string join(const std::vector<std::string>& steps) {
  return fmt::format("{}", fmt::join(steps, "/"));
}

std::array<timespec, 2> times_for(timespec modified) { return {timespec{0, UTIME_OMIT}, modified}; }

bool is_directory_at(int directory, const std::string& name) {
  struct stat status{};
  return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(status.st_mode);
}

/// `make` returns 0 or -1 and sets errno; what stands in its way is removed.
Result<> replace(int directory, const std::string& name, std::string_view whole,
                 const std::function<int()>& make) {
  if (make() >= 0) return {};
  if (errno != EEXIST) return system_failure(whole, errno);
  if (is_directory_at(directory, name)) return refuse(whole, "there is a directory in its place");
  if (::unlinkat(directory, name.c_str(), 0) != 0 && errno != ENOENT) {
    return system_failure(whole, errno);
  }
  if (make() >= 0) return {};
  return system_failure(whole, errno);
}

}  // namespace

bool stays_inside(std::size_t depth, std::string_view target) {
  if (target.empty() || target.starts_with('/')) return false;
  bool named = false;
  for (const std::string& step : steps_of(target)) {
    if (step != "..") {
      named = true;
    } else if (named || depth == 0) {
      return false;
    } else {
      --depth;
    }
  }
  return true;
}

Result<TargetDirectory> TargetDirectory::open(const std::string& path) {
  if (::mkdir(path.c_str(), kOwnDirectory) != 0 && errno != EEXIST) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("cannot make {}: {}", path, std::strerror(errno)));
  }
  UniqueFd root(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root) return TargetDirectory(std::move(root));
  return fail(ErrorCode::InvalidArgument,
              fmt::format("cannot copy into {}: {}", path, std::strerror(errno)));
}

/// Where it is to be. Its directory stays open until the next find().
Result<TargetDirectory::Place> TargetDirectory::find(std::string_view name) {
  if (name.starts_with('/')) return refuse(name, "an absolute path would leave the target");
  std::vector<std::string> steps = steps_of(name);
  for (const std::string& step : steps) {
    if (step == "..") return refuse(name, "\"..\" would leave the target");
  }
  std::string last;
  if (!steps.empty()) {
    last = std::move(steps.back());
    steps.pop_back();
  }
  TRY_VOID(enter(steps));
  return Place{innermost(), std::move(last)};
}

Result<TargetDirectory::Place> TargetDirectory::find_entry(std::string_view name) {
  TRY(Place place, find(name));
  if (place.name.empty()) return refuse(name, "is the target itself");
  return place;
}

Result<> TargetDirectory::enter(const std::vector<std::string>& steps) {
  std::size_t common = 0;
  while (common < std::min(steps.size(), path_.size()) && path_[common].name == steps[common]) {
    ++common;
  }
  path_.erase(path_.begin() + static_cast<std::ptrdiff_t>(common), path_.end());
  for (std::size_t i = common; i < steps.size(); ++i) {
    const char* name = steps[i].c_str();
    if (::mkdirat(innermost(), name, kOwnDirectory) != 0 && errno != EEXIST) {
      return system_failure(join(steps), errno);
    }
    UniqueFd next(::openat(innermost(), name, kDirectoryFlags));
    if (!next && (errno == ELOOP || errno == ENOTDIR)) {
      return refuse(join(steps), "leads through what is no directory");
    }
    if (!next) return system_failure(join(steps), errno);
    path_.push_back({steps[i], std::move(next)});
  }
  return {};
}

Result<> TargetDirectory::make_directory(std::string_view name, const FileAttributes& attributes) {
  TRY(const Place place, find(name));
  if (!place.name.empty()) {
    if (::mkdirat(place.directory, place.name.c_str(), kOwnDirectory) != 0) {
      if (errno != EEXIST) return system_failure(name, errno);
      if (!is_directory_at(place.directory, place.name)) {
        return refuse(name, "there is something else than a directory in its place");
      }
    }
  }
  directories_.insert_or_assign(join(steps_of(name)), attributes);
  return {};
}

Result<UniqueFd> TargetDirectory::make_file(std::string_view name) {
  TRY(const Place place, find_entry(name));
  UniqueFd file;
  TRY_VOID(replace(place.directory, place.name, name, [&] {
    file.reset(::openat(place.directory, place.name.c_str(),
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kOwnFile));
    return file.get();
  }));
  return file;
}

Result<> TargetDirectory::finish_file(int file, const FileAttributes& attributes) {
  const auto times = times_for(attributes.modified);
  if (::fchmod(file, attributes.mode & kPermissions) == 0 && ::futimens(file, times.data()) == 0) {
    return {};
  }
  return system_failure("cannot set mode and time", errno);
}

Result<> TargetDirectory::remove_file(std::string_view name) {
  TRY(const Place place, find_entry(name));
  if (::unlinkat(place.directory, place.name.c_str(), 0) == 0) return {};
  return system_failure(name, errno);
}

Result<> TargetDirectory::make_symbolic_link(std::string_view name, const std::string& target,
                                             timespec modified) {
  TRY(const Place place, find_entry(name));
  if (!stays_inside(path_.size(), target)) {
    return refuse(name, fmt::format("is a symbolic link out of the target, to {}", target));
  }
  TRY_VOID(replace(place.directory, place.name, name, [&] {
    return ::symlinkat(target.c_str(), place.directory, place.name.c_str());
  }));
  const auto times = times_for(modified);
  if (::utimensat(place.directory, place.name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0) {
    return {};
  }
  return system_failure(name, errno);
}

Result<> TargetDirectory::make_hard_link(std::string_view name, std::string_view existing) {
  const Result<Place> from = find_entry(existing);
  if (!from) return refuse(name, fmt::format("a hard link to {}", from.error().message));
  const UniqueFd held(::fcntl(from->directory, F_DUPFD_CLOEXEC, 0));  // find() leaves it
  if (!held) return system_failure(name, errno);
  TRY(const Place place, find_entry(name));
  return replace(place.directory, place.name, name, [&] {
    return ::linkat(held.get(), from->name.c_str(), place.directory, place.name.c_str(), 0);
  });
}

Result<> TargetDirectory::finish() {
  for (const auto& [name, attributes] : directories_) {
    TRY(const Place place, find(name));
    UniqueFd opened;
    int directory = place.directory;
    if (!place.name.empty()) {
      opened.reset(::openat(place.directory, place.name.c_str(), kDirectoryFlags));
      if (!opened) return system_failure(name, errno);
      directory = opened.get();
    }
    TRY_VOID(finish_file(directory, attributes));
  }
  directories_.clear();
  path_.clear();
  return {};
}

}  // namespace sluice::cli
