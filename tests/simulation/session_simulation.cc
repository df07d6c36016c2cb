// Sessions on virtual time, by seeded dice. Usage: session_simulation [--seed=N] [--runs=N]
// A failure names its seed: `session_simulation --seed=N --runs=1` plays the same again.
#include <string_view>

#include <gtest/gtest.h>

#include "base/text.h"
#include "simulation/simulated_session.h"

namespace sluice::simulation {
namespace {

struct Options {
  std::int64_t seed = 1;
  std::int64_t runs = 100;
};
Options options;

TEST(Simulation, EverySessionEndsOnceWithAReasonAndLosesNoByte) {
  for (std::int64_t i = 0; i < options.runs && !HasFailure(); ++i) {
    SCOPED_TRACE("--seed=" + std::to_string(options.seed + i));
    SimulatedSession session(static_cast<std::uint64_t>(options.seed + i));
    session.play();
  }
}

/// False: not a number.
bool read_option(std::string_view argument, std::string_view name, std::int64_t& value) {
  if (!argument.starts_with(name)) return true;
  const auto number = parse_int64(argument.substr(name.size()));
  if (number) value = *number;
  return number.has_value();
}

}  // namespace
}  // namespace sluice::simulation

int main(int argc, char** argv) {
  using namespace sluice::simulation;
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (!read_option(argv[i], "--seed=", options.seed)) return 2;
    if (!read_option(argv[i], "--runs=", options.runs)) return 2;
  }
  return RUN_ALL_TESTS();
}
