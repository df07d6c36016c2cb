// Golden wire exchanges, one text file each in tests/transcripts/: what a client sends, what the
// server must answer, byte by byte. They are played on anything that serves a net::Stream.
//
//   # RFC 6455 5.7: a masked "Hello" is echoed     a comment
//   C: \x81\x85\0\0\0\0Hello                       the client sends
//   S: \x82\x05Hello                               the server answers
//   S-END                                          the server ends the stream
//
// Escapes: \xHH \0 \r \n \t \s (a space) \\ and \{HH*N}, the byte HH N times. Blanks at the end of
// a line do not count.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "net/event_loop.h"
#include "net/stream.h"

namespace sluice::testing {

struct TranscriptLine {
  enum class Kind { Client, Server, ServerEnd };
  Kind kind = Kind::Client;
  std::string bytes;
  int number = 0;  // in the file
};

using Transcript = std::vector<TranscriptLine>;

/// Errors: InvalidArgument, saying which line.
Result<Transcript> parse_transcript(std::string_view text);
/// Every *.txt in the folder, by name. A file that can't be read is an error.
Result<std::vector<std::pair<std::string, Transcript>>> read_transcripts(const std::string& folder);

/// Plays it as the client, writing at most `fragment` bytes at a time and letting the loop come to
/// rest in between. Returns what went differently ("line 3: expected … got …"), or "".
std::string play(net::EventLoop& loop, net::Stream& client, const Transcript& transcript,
                 std::size_t fragment);

}  // namespace sluice::testing
