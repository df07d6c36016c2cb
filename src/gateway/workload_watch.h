// A watch of a project's workloads between its request and its answer: what serve.cc prepared and
// watch_run.cc runs. It counts as a session: limited, drained at a shutdown, over when its token
// expires.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auth/caller.h"
#include "backend/change_signal.h"
#include "gateway/list_request.h"
#include "gateway/session_limits.h"
#include "workload/status.h"

namespace sluice::gateway {

struct WorkloadWatch {
  SessionTicket ticket;
  auth::Caller caller;
  std::string project;
  ListRequest request;
  std::unique_ptr<backend::ChangeWatch> changes;
  std::vector<workload::WorkloadStatus>
      first;  // as the backend gave them, since `changes` is there
};

}  // namespace sluice::gateway
