// The two framings of exec and attach, between which run_process_session() chooses. Each adds its
// tasks to the run; `run` and `process` outlive them.
#pragma once

#include "session/session_run.h"

namespace sluice::session {

/// Plain bytes both ways: process_session.cc.
void start_raw_process(SessionRun& run, backend::RemoteProcess& process,
                       const ProcessSessionOptions& options);

/// Kubernetes channels v4 and v5: channel_process_session.cc.
void start_channel_process(SessionRun& run, backend::RemoteProcess& process,
                           const ProcessSessionOptions& options);

/// Whether the client asked for this output; what it didn't ask for is read and dropped.
inline bool is_wanted(const backend::StreamOptions& streams, backend::OutputChannel channel) {
  return channel == backend::OutputChannel::Stdout ? streams.stdout : streams.stderr;
}

}  // namespace sluice::session
