// Recordings: what a real API server said, byte by byte, for tests of how we understand it. They
// are the server's side of the transcripts in tests/kubernetes/transcripts/<version>/, whose
// README tells how each was made.
#pragma once

#include <string>

namespace sluice::testing {

struct Recording {
  std::string bytes;
  bool ends = false;  // the server then ended the connection
};

/// `name` without ".txt". The test fails where there is no such file.
Recording read_recording(const std::string& version, const std::string& name);

}  // namespace sluice::testing
