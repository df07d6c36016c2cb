// The error of whoever reads a log and can't go on without a gap, in the contract's words: the same
// wherever the log comes from.
#pragma once

#include "base/result.h"

namespace sluice::loglines {

inline std::unexpected<Error> lines_lost() {
  return fail(ErrorCode::Unavailable, "log lines lost");
}

}  // namespace sluice::loglines
