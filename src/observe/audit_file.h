// AuditFile: where the audit trail is written: a file that is rotated, or stdout. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace sluice {

struct AuditFileOptions {
  std::string path;                                    // empty: stdout
  std::uint64_t max_bytes = std::uint64_t{100} << 20;  // then it is rotated
  unsigned keep = 10;                                  // rotated files: path.1 is the youngest
  bool sync = false;  // append() returns once the disk has the lines
};

class AuditFile {
 public:
  explicit AuditFile(AuditFileOptions options) : options_(std::move(options)) {}

  /// Whole lines; `lines` becomes what has yet to be written of them. A file that somebody else has
  /// moved away is made anew. Another process may append to it and rotate it, too, through an
  /// AuditFile of its own. Errors: Unavailable, saying which file and why.
  Result<> append(std::string_view& lines);

 private:
  Result<> append_locked(std::string_view& lines);
  std::size_t fitting(std::string_view lines) const;
  Result<> open();
  Result<> lock_newest();
  Result<> measure();
  bool is_in_place() const;
  Result<> rotate();
  std::unexpected<Error> failed(const char* call, int error_number) const;

  const AuditFileOptions options_;
  UniqueFd file_;
  std::uint64_t size_ = 0;
};

}  // namespace sluice
