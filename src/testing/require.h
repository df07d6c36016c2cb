// How a fuzz target says that a rule is broken: in words, and by ending the process, which is how
// libFuzzer learns of it.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace sluice::testing {

/// `rule` is what must hold.
inline void require(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "broken rule: %s\n", rule);
  std::abort();
}

/// The same for two texts that must be equal; both are shown.
inline void require_equal(const std::string& one, const std::string& other, const char* rule) {
  if (one == other) return;
  std::fprintf(stderr, "---\n%s\n---\n%s\n---\n", one.c_str(), other.c_str());
  require(false, rule);
}

}  // namespace sluice::testing
