// Randomness as a parameter, so that tests fix it. Real randomness: OsRandom (getrandom(2)).
#pragma once

#include "base/bytes.h"

namespace sluice {

class Random {
 public:
  virtual ~Random() = default;
  /// Fills with bytes fit for keys and nonces.
  virtual void fill(MutableBytes bytes) = 0;
};

class OsRandom final : public Random {
 public:
  void fill(MutableBytes bytes) override;
};

}  // namespace sluice
