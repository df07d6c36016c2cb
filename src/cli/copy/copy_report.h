// What both directions of `sluice cp` make of a script's end.
#pragma once

#include <cstdint>

#include "base/backoff.h"
#include "cli/copy/container_script.h"
#include "cli/copy/copy.h"

namespace sluice::cli {

/// "sh -c SCRIPT sluice-cp ARGUMENTS...", the common script before that one.
std::vector<std::string> shell_command(std::string_view script, std::vector<std::string> arguments);

/// Whether script and talk went to their end. Errors: why not.
Result<> check_end(const ScriptReport& report, const Copy& copy);

/// Compares checksums; where the container can't make one, says so. Errors: Internal: they differ.
Result<> check_sum(const ScriptReport& report, std::string_view sha256);

/// Says which parts were not copied; the exit code.
int report_parts(const ScriptReport& report, const Complaints& ours);

/// That it is not what it was, so that a part may be of the one and a part of the other.
Error changed(std::string_view path);

/// How long to wait before a cut file is gone on with. Cancelled; the error itself when it is no
/// cut, or when it was tried too often without getting further.
class Retries {
 public:
  static constexpr int kMost = 5;

  explicit Retries(Context& context) : context_(context) {}
  net::Task<Result<>> wait_after(Error error);
  /// Where an attempt began, in units of the caller's: whether the one before it got further.
  void began_at(std::uint64_t place);

 private:
  Context& context_;
  Backoff backoff_{{.base = milliseconds(300)}};
  int tried_ = 0;
  std::uint64_t furthest_ = 0;
};

}  // namespace sluice::cli
