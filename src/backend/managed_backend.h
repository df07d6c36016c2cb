// ManagedBackend: a Backend with a life of its own, as whoever started it sees it. The gateway only
// knows the Backend.
#pragma once

#include "backend/backend.h"

namespace sluice::backend {

class ManagedBackend : public Backend {
 public:
  /// Completes once the backend knows what it serves, which may be never. Any loop of the server's.
  /// Errors: Cancelled.
  virtual net::Task<Result<>> ready() = 0;
  /// Rereads what it was configured by, soon. Something broken there is one line in the log and
  /// changes nothing. Any thread.
  virtual void reload() = 0;
  /// Ends what it runs by itself. Once; sessions must have ended or end with their targets. After
  /// it has completed, and after the backend's loop has ended, the backend may be destroyed.
  virtual net::Task<> stop() = 0;
};

}  // namespace sluice::backend
