// WriteTurns: tasks of one loop that share a socket write one after the other, in the order they
// came.
#pragma once

#include "net/turns.h"

namespace sluice::net {

class WriteTurns final : public Turns {
 public:
  explicit WriteTurns(Executor executor) : Turns(executor, 1) {}
};

}  // namespace sluice::net
