// RecordingFolder: recordings as files of one folder, for its owner alone.
#pragma once

#include <memory>
#include <string>

#include "recording/recording_file.h"

namespace sluice::recording {

class RecordingFolder final : public RecordingStore {
 public:
  /// Makes it, mode 0700, unless it is there. Errors: Unavailable, saying why no file can be made
  /// in it.
  static Result<std::unique_ptr<RecordingFolder>> open(std::string path);

  /// Mode 0600. A name that is taken is an error.
  Result<std::unique_ptr<RecordingFile>> create(const std::string& name) override;

 private:
  explicit RecordingFolder(std::string path) : path_(std::move(path)) {}

  const std::string path_;
};

}  // namespace sluice::recording
