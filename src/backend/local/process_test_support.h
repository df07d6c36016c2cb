// For the tests of real processes: read descriptors, wait for the death of a pid.
// Every wait ends with the event waited for; a test that would hang is ended by SIGALRM.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "backend/local/process_host.h"
#include "base/text.h"
#include "net/event_loop.h"
#include "testing/test_loop.h"

namespace sluice::backend::local {

using sluice::testing::run;

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};
inline Pipe make_pipe() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

/// Up to the end of file, or up to and with the first '\n'.
inline std::string read_text(int fd, bool one_line = false) {
  std::string text;
  char byte = 0;
  while (!(one_line && text.ends_with('\n'))) {
    const ssize_t count = ::read(fd, &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text += byte;
  }
  return text;
}
inline std::string read_line(int fd) { return read_text(fd, true); }

inline pid_t to_pid(std::string_view line) {
  constexpr pid_t kNobody = std::numeric_limits<pid_t>::max();  // -1 would be everybody, to kill(2)
  if (line.ends_with('\n')) line.remove_suffix(1);
  const std::optional<std::int64_t> pid = parse_int64(line);
  EXPECT_TRUE(pid) << line;
  return static_cast<pid_t>(pid.value_or(kNobody));
}

/// Completes when no process of that pid runs.
inline void wait_dead(pid_t pid) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return;  // ESRCH
  pollfd ended{process.get(), POLLIN, 0};
  while (::poll(&ended, 1, -1) < 0) {
  }
}

class ProcessTest : public ::testing::Test {
 protected:
  void SetUp() override { ::alarm(60); }
  void TearDown() override { ::alarm(0); }

  static SpawnRequest shell(std::string script) {
    SpawnRequest request;
    request.command = {"/bin/sh", "-c", std::move(script)};
    request.environment = {"PATH=/usr/bin:/bin"};
    return request;
  }
};

}  // namespace sluice::backend::local
