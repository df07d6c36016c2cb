// OutputFile: the file that a command writes to. Not for stdout.
#pragma once

#include <string>

#include "base/random.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace sluice::cli {

class OutputFile {
 public:
  /// Written beside `path`, and takes its place with commit(), so that what is there is replaced
  /// only by a whole one. What is no regular file (a pipe, /dev/stdout) is written to as it is.
  /// Errors: InvalidArgument.
  static Result<OutputFile> replace(const std::string& path, Random& random);
  /// Emptied, and written in place.
  static Result<OutputFile> rewrite(const std::string& path);

  OutputFile(OutputFile&& other) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;
  /// Without commit() nothing is left of it.
  ~OutputFile();

  int descriptor() const { return descriptor_.get(); }
  /// What was written is on the disk, and in its place. Errors: Internal.
  Result<> commit();

 private:
  OutputFile(UniqueFd descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  UniqueFd descriptor_;
  std::string path_;
  std::string temporary_;  // its name until commit(); empty: written in place
};

}  // namespace sluice::cli
