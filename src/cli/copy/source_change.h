// Whether a file of this machine is, after it was copied, still what it was before.
#pragma once

#include <sys/stat.h>

#include <string_view>

namespace sluice::cli {

inline constexpr std::string_view kChanged = "changed while it was copied: copy it again";

/// By its size and the time of its last change, as stat() gave them before and after.
inline bool is_unchanged(const struct stat& before, const struct stat& after) {
  return after.st_size == before.st_size && after.st_mtim.tv_sec == before.st_mtim.tv_sec &&
         after.st_mtim.tv_nsec == before.st_mtim.tv_nsec;
}

}  // namespace sluice::cli
