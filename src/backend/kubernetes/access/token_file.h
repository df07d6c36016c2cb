// TokenFile: a bearer token that others renew in its file, such as the kubelet in a pod's volume.
#pragma once

#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace sluice::backend::kubernetes {

/// Any thread.
class TokenFile {
 public:
  /// How old what read() returns may be.
  static constexpr nanoseconds kMaxAge = seconds(60);

  TokenFile(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}

  /// A file that can't be read now leaves the token of the last time. Errors: Unavailable: there
  /// was none.
  Result<std::string> read();
  /// The next read() looks at the file.
  void forget();

 private:
  const std::string path_;
  const Clock& clock_;
  std::mutex mutex_;
  std::string token_;
  MonotonicTime due_{};
};

}  // namespace sluice::backend::kubernetes
