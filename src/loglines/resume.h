// Resume: where the reading of a log stands, so that it can go on after a cut: what to ask the
// server for, and which of the lines that come back are new. Bytes in, positions out: it knows no
// connection. Kubernetes' API servers and sluiced take the same queries. Source:
// kubernetes/kubernetes pkg/kubelet/kuberuntime/logs.
//
// The API can begin only at a time, in whole seconds. So a resumed body begins before the last line
// that was handed on, and that line is looked for in it: by its full stamp, by how many lines with
// that stamp there were, and by a hash of its beginning. What is stored behind it is new.
// A follow that ended without a line is taken up from the log's beginning, whatever tail was asked
// for: more than the tail may come, but none is left out.
// Where the last line is gone because the log was rotated, what came between is taken for lost,
// since the API can't tell whether there was anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "loglines/reader.h"

namespace sluice::loglines {

class Resume {
 public:
  /// Of a longer line the beginning is handed on before its end has come.
  static constexpr std::size_t kLongLineBytes = Reader::kLongRecordBytes;

  /// What of the log is asked for.
  struct Range {
    std::optional<WallTime> since;            // lines at or after it
    std::optional<std::uint64_t> tail_lines;  // absent: all
  };
  explicit Resume(const Range& range);

  enum class Reading {
    Once,
    Follow,
    Anchor,  // the last line, not to be handed on: whoever follows a tail of none begins behind it
  };
  /// How to read next whoever follows.
  Reading next_reading() const;

  /// Begins a body. Returns the part of the request's query that says what of the log to send.
  std::string begin_body(Reading reading);

  struct Taken {
    std::size_t skip = 0;  // bytes that are nothing new
    std::size_t take = 0;  // bytes behind those, to be handed on
    std::size_t size() const { return skip + take; }
  };
  /// Looks at the body's bytes that were not taken yet. Takes whole lines, and beginnings of long
  /// ones; none: offer them again with more.
  /// Errors: Unavailable: the last line is gone and newer ones are there ("log lines lost": the log
  /// was rotated); the node's word of a failure instead of a line.
  Result<Taken> take(std::string_view bytes);

  enum class BodyEnd { Orderly, Cut };
  /// The body has ended; `rest` was not taken. What is to be handed on of that is a line without an
  /// end, which counts only if its container has ended. Errors: as take(); also when a log that was
  /// read Once does not have the last line before a cut any more.
  Result<Taken> end_body(BodyEnd end, std::string_view rest);

  /// The log has no line now, however long ago the body began. Errors: Unavailable ("log lines
  /// lost"): the last line before a cut is gone with the others.
  Result<> note_empty_log();

  /// The time of the last line that was handed on, or begun; nullopt: there was none.
  std::optional<WallTime> last_time() const;
  /// Whether there was anything new in this body.
  bool has_news() const { return has_news_; }
  /// An error was that of lost lines.
  bool has_lost_lines() const { return has_lost_lines_; }

 private:
  enum class Line { None, Old, New };

  /// The last line that was handed on, or begun.
  struct Last {
    std::string stamp;         // as it stood
    std::uint64_t count = 0;   // lines with that stamp, until this one
    std::size_t hash = 0;      // of its beginning
    std::uint64_t bytes = 0;   // handed on, of it
    bool ended = false;        // all of it was handed on
    bool begins_tail = false;  // a tail may begin within a line: another stamp is its line's
  };

  Result<> begin_line(std::string_view line);
  Result<> begin_stamped_line(std::string_view stamp, std::string_view line);
  Line search(std::string_view stamp, std::string_view line);
  void note(std::string_view stamp, std::string_view line);
  void hash_last_line();
  void note_silent_follow();
  std::unexpected<Error> node_failed(std::string_view text);
  std::unexpected<Error> lose_lines();

  std::optional<WallTime> since_;
  std::optional<std::uint64_t> tail_lines_;
  std::optional<Last> last_;
  std::string newest_stamp_;    // of all lines so far: those before the last one are not newer
  bool is_behind_end_ = false;  // no line yet, and those that come are all wanted
  bool was_cut_ = false;        // since the last line was seen
  bool has_lost_lines_ = false;

  // Of the body:
  Reading reading_ = Reading::Once;
  bool begins_at_time_ = false;
  bool begins_with_tail_ = false;
  bool is_searching_ = false;  // for the last line
  bool has_lines_ = false;
  bool has_news_ = false;
  std::uint64_t equal_stamps_ = 0;  // lines that have the last one's stamp
  Line line_ = Line::None;          // the one under way
  std::string_view unhashed_;       // within a call: the last line, until its hash is wanted
  std::uint64_t left_to_skip_ = 0;  // of a new line: handed on before a cut
};

}  // namespace sluice::loglines
