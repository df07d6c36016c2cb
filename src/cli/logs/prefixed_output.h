// PrefixedOutput: one of several logs that share an output: its lines, each with a prefix, whole
// among those of the others.
#pragma once

#include <string>

#include "cli/terminal/output.h"
#include "net/write_turns.h"

namespace sluice::cli {

/// What they share.
struct SharedOutput {
  SharedOutput(net::Executor executor, Output& shared) : output(shared), turns(executor) {}

  Output& output;
  net::WriteTurns turns;
  Result<> state;  // why nothing can be written any more
};

class PrefixedOutput final : public Output {
 public:
  /// A line that is longer is broken where it is: it would have to wait in memory for its end.
  static constexpr std::size_t kMaxLineBytes = 16_MiB;

  /// `shared` outlives it.
  PrefixedOutput(SharedOutput& shared, std::string prefix)
      : shared_(shared), prefix_(std::move(prefix)) {}

  void append(Bytes bytes) override;
  /// Writes the lines that are whole, when it is their turn.
  net::Task<Result<>> wait() override;
  /// The log has ended: so has its last line.
  net::Task<Result<>> finish();

 private:
  SharedOutput& shared_;
  std::string prefix_;
  std::string lines_;  // whole ones, yet to be written
  std::string begun_;  // a line whose end has not come
};

}  // namespace sluice::cli
