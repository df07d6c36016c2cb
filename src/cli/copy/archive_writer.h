// Packs a directory into a tar archive that the tars of GNU and busybox unpack with all modes and
// times. Blocking.
#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"
#include "cli/copy/complaints.h"

namespace sluice::cli {

struct WrittenArchive {
  std::string sha256;   // of all bytes of it
  Complaints left_out;  // what is not in it, and why
};

/// Names are relative to `folder`, which is the last entry, "./": each directory comes behind what
/// is in it, so that its mode and time are set when nothing changes it any more. Sockets, pipes,
/// devices and what can't be read are left out. Errors: InvalidArgument: `folder` can't be read;
/// Unavailable: nobody reads `to` any more; Internal; Cancelled: by `stop`.
Result<WrittenArchive> pack_archive(const std::string& folder, int to, const std::stop_token& stop);

}  // namespace sluice::cli
