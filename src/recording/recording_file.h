// RecordingFile and RecordingStore: where recordings are written, as the recorder's thread sees it:
// a folder (recording_folder.h), or what a test makes of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::recording {

class RecordingFile {
 public:
  virtual ~RecordingFile() = default;
  /// Whole lines, all of them or none. May block. Errors: Unavailable, with the reason as its
  /// cause.
  virtual Result<> append(std::string_view lines) = 0;
  /// Takes it away again.
  virtual void remove() = 0;
};

class RecordingStore {
 public:
  virtual ~RecordingStore() = default;
  /// A new one. May block. Errors: as append().
  virtual Result<std::unique_ptr<RecordingFile>> create(const std::string& name) = 0;
};

}  // namespace sluice::recording
