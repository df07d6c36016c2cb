// Output: where bytes go that may come faster than they leave.
#pragma once

#include "base/bytes.h"
#include "net/task.h"

namespace sluice::cli {

class Output {
 public:
  virtual ~Output() = default;

  /// Takes a copy. Whoever appends has to wait() between whiles.
  virtual void append(Bytes bytes) = 0;
  /// Until more may be appended. Errors: Internal: it can't be written any more; Cancelled.
  virtual net::Task<Result<>> wait() = 0;
};

}  // namespace sluice::cli
