#include "testing/recording.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/file.h"
#include "testing/transcript.h"

namespace sluice::testing {

Recording read_recording(const std::string& version, const std::string& name) {
  const std::string path = "tests/kubernetes/transcripts/" + version + "/" + name + ".txt";
  Recording recording;
  const Result<std::string> text = read_file(path, 1_MiB);
  const Result<Transcript> transcript = text ? parse_transcript(*text) : fail(text.error());
  if (!transcript) {
    ADD_FAILURE() << path << ": " << transcript.error().message;
    return recording;
  }
  for (const TranscriptLine& line : *transcript) {
    if (line.kind == TranscriptLine::Kind::Server) recording.bytes += line.bytes;
    if (line.kind == TranscriptLine::Kind::ServerEnd) recording.ends = true;
  }
  return recording;
}

}  // namespace sluice::testing
