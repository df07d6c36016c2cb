#include "base/standard_descriptors.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace sluice {
namespace {

/// Whether, with that one closed, what is opened afterwards is none of the three. In a child: it
/// is this program's, too.
bool is_replaced(int closed) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(closed);
    open_standard_descriptors();
    const bool is_open = ::fcntl(closed, F_GETFD) >= 0;
    ::_exit(is_open && ::open("/dev/null", O_RDONLY | O_CLOEXEC) > STDERR_FILENO ? 0 : 1);
  }
  int status = -1;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

TEST(StandardDescriptorsTest, AClosedOneIsOpened) {
  EXPECT_TRUE(is_replaced(STDIN_FILENO));
  EXPECT_TRUE(is_replaced(STDOUT_FILENO));
  EXPECT_TRUE(is_replaced(STDERR_FILENO));
}

TEST(StandardDescriptorsTest, NothingIsLeftOpenBehindThem) {
  const int before = ::dup(STDIN_FILENO);
  ::close(before);
  open_standard_descriptors();
  const int after = ::dup(STDIN_FILENO);
  ::close(after);
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace sluice
