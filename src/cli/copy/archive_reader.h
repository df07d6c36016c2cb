// Unpacks a tar archive that somebody else wrote, as it comes. Blocking.
#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"
#include "cli/copy/complaints.h"
#include "cli/copy/target_directory.h"

namespace sluice::cli {

struct ReadArchive {
  std::string sha256;  // of all bytes of it
  Complaints refused;  // entries that are not in the target: what, and why
};

/// Reads `from` to its end. Entries that would leave `target`, and those that are neither file,
/// directory nor link, are refused and the rest is unpacked. Errors: Unavailable: it is cut short,
/// or no archive; Internal: the system's; Cancelled: by `stop`.
Result<ReadArchive> unpack_archive(int from, TargetDirectory& target, const std::stop_token& stop);

}  // namespace sluice::cli
