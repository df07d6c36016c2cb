// Which sessions of exec and attach are recorded, and what becomes of their recordings
// (recording/recording.h makes them; docs/operate/recording.md).
#pragma once

#include <memory>

#include "auth/policy.h"
#include "gateway/audit.h"
#include "gateway/upgraded_session.h"
#include "recording/recorder.h"

namespace sluice::gateway {

struct Recordings {
  auth::Policy rules;  // what it allows is recorded
  std::unique_ptr<recording::Recorder> recorder;
};

/// Gives the session a recording if the rules want one. Before its process is started. Errors:
/// Unavailable: it must be recorded and can't be; Cancelled.
net::Task<Result<>> begin_recording(const Services& services, const auth::Caller& caller,
                                    workload::Verb verb, const backend::StreamOptions& streams,
                                    UpgradedSession& session);

/// Its process runs: the recording stays, whatever becomes of the session.
void start_recording(UpgradedSession& session);

/// A recording that the session must not go on without ends it through `interruption`.
void watch_recording(UpgradedSession& session, session::Interruption& interruption);

/// The session has ended so; what is wrong with the recording becomes part of the outcome.
net::Task<> finish_recording(UpgradedSession& session, SessionOutcome& outcome);

}  // namespace sluice::gateway
