#include "base/standard_descriptors.h"

#include <fcntl.h>

#include "base/unique_fd.h"

namespace sluice {

void open_standard_descriptors() {
  UniqueFd null;
  do {
    (void)null.release();
    null.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
  } while (null && null.get() <= STDERR_FILENO);
}

}  // namespace sluice
