// Dice: the choices of a simulated run. The same seed throws the same.
#pragma once

#include "testing/seeded_random.h"

namespace sluice::simulation {

class Dice final {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  /// 0 … sides - 1.
  std::size_t below(std::size_t sides) { return random_.next() % sides; }
  bool chance(std::size_t percent) { return below(100) < percent; }
  /// Mostly small, sometimes up to `most`; at least 1.
  std::size_t size(std::size_t most) { return 1 + below(chance(80) ? most / 100 + 1 : most); }
  /// Bytes that differ from place to place.
  std::string bytes(std::size_t count) {
    std::string text(count, '\0');
    for (char& byte : text) byte = static_cast<char>('a' + below(26));
    return text;
  }

 private:
  testing::SeededRandom random_;
};

}  // namespace sluice::simulation
