// StateDirectory: stateDir as the local backend uses it. One server at a time holds it.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace sluice::backend::local {

class StateDirectory {
 public:
  /// Makes it if need be, closes it to other users, locks it, and empties what earlier pods left.
  /// Errors: Unavailable, with the directory and the reason in the message: used by another server,
  /// not writable, no directory.
  static Result<StateDirectory> open(const std::string& path);

  /// Where pods keep their logs; exists and is empty after open().
  std::string pods() const { return path_ + "/pods"; }

 private:
  StateDirectory(std::string path, UniqueFd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;  // flock(2) ends with it
};

}  // namespace sluice::backend::local
