// LogCursor: where a reader stands in the files of a run that somebody else writes, rotates,
// compresses and deletes, and which names mean another file a moment later. Without I/O: it is told
// what was received and what is listed. A file is known by the bytes that were read of it last
// (they hold a record's stamp in nanoseconds): each request asks for them again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backend/kubernetes/logs/log_files.h"
#include "base/bytes.h"
#include "base/result.h"

namespace sluice::backend::kubernetes {

class LogCursor {
 public:
  /// How many bytes are read again at most.
  static constexpr std::size_t kOverlapBytes = 256;

  /// At a byte of files[index], `files` being all of the run, oldest first.
  LogCursor(const std::vector<LogFile>& files, std::size_t index, std::uint64_t offset);

  const LogFile& file() const { return file_; }

  /// Where the next body should begin.
  std::uint64_t wanted_begin() const;
  /// A body of the file begins, with the file's byte `at`: no later than wanted_begin().
  void begin_body(std::uint64_t at) { body_at_ = at; }
  /// More of the body. Returns how many bytes at its beginning were read before. Errors: Conflict:
  /// it is another file.
  Result<std::size_t> take(std::string_view bytes);
  /// The body is over. Errors: Conflict: the file is shorter than what was read of it.
  Result<> end_body() const;

  /// Nothing was read of a file that is being written: only a listing that is made after its body
  /// was begun can tell that it is still the same.
  bool is_unknown() const { return file_.is_current() && overlap_.empty(); }

  enum class Found { Same, Moved, Nowhere, Lost };
  /// Looks where the file is now: under its name, or as a rotated or compressed one.
  Found find_in(const std::vector<LogFile>& files);
  enum class Step { Next, None, Lost };
  /// The file has been read to its end: steps into the next one, if there is one. Lost: it can't
  /// be told which one that was, since older files have been removed.
  Step step(const std::vector<LogFile>& files);

 private:
  void note_successor(const std::vector<LogFile>& files);

  LogFile file_;
  std::string after_;  // when the file before this one was rotated; empty: there was none
  std::string next_;   // when the file behind this one was rotated; empty: not known to have been
  std::uint64_t offset_ = 0;
  std::string overlap_;  // the last bytes before offset_
  std::uint64_t body_at_ = 0;
};

}  // namespace sluice::backend::kubernetes
