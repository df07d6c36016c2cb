#include "base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace sluice {

void OsRandom::fill(MutableBytes bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    // Without randomness there are no keys: a kernel this old (before 3.17) isn't supported.
    if (got < 0) std::abort();
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace sluice
