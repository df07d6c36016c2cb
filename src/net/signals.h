// Signals as data: the program blocks them in every thread and reads them from a signalfd.
#pragma once

#include <initializer_list>

#include "net/descriptor.h"

namespace sluice::net {

/// Blocks these signals in the calling thread and all that it starts later. First thing in main.
void block_signals(std::initializer_list<int> signals);

class SignalReader {
 public:
  /// The signals must be blocked.
  SignalReader(Executor executor, std::initializer_list<int> signals);
  /// The number of the next signal. Errors: Cancelled.
  Task<Result<int>> next();

 private:
  Descriptor descriptor_;
};

}  // namespace sluice::net
