#include "observe/log_queue.h"

#include <unistd.h>

#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "base/unique_fd.h"

namespace sluice {
namespace {

struct Pipe {
  Pipe() {
    int fds[2];
    EXPECT_EQ(::pipe(fds), 0);
    reader.reset(fds[0]);
    writer.reset(fds[1]);
  }
  /// Everything up to the end, once the writer is closed.
  std::string read_all() {
    std::string all;
    char buffer[65536];
    while (true) {
      const ssize_t count = ::read(reader.get(), buffer, sizeof buffer);
      if (count <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(count));
    }
  }
  UniqueFd reader;
  UniqueFd writer;
};

TEST(LogQueue, WritesLinesInOrderAndTheRestAtItsEnd) {
  Pipe pipe;
  std::string expected;
  {
    LogQueue queue(pipe.writer.get(), std::chrono::minutes(1));
    for (int i = 0; i < 1000; ++i) {
      const std::string line = "line " + std::to_string(i) + "\n";
      queue.push(line);
      expected += line;
    }
  }
  pipe.writer.reset();
  EXPECT_EQ(pipe.read_all(), expected);
}

TEST(LogQueue, OldestLinesGoWhenNobodyReads) {
  Pipe pipe;
  std::thread reader;
  {
    LogQueue queue(pipe.writer.get(), std::chrono::minutes(1));
    constexpr std::size_t kLineBytes = 64 * 1024;
    constexpr std::size_t kLines = 4 * LogQueue::kMaxBytes / kLineBytes;
    for (std::size_t i = 0; i < kLines; ++i) queue.push(std::string(kLineBytes - 1, 'x') + "\n");
    EXPECT_GE(queue.dropped(), kLines / 4);  // what is being written has left the queue
    queue.push("last\n");
    reader = std::thread([&] { EXPECT_TRUE(pipe.read_all().ends_with("\nlast\n")); });
  }
  pipe.writer.reset();
  reader.join();
}

TEST(LogQueue, EndDoesNotWaitForWhoNeverReads) {
  ::signal(SIGPIPE, SIG_IGN);  // the thread that is left meets it
  Pipe pipe;
  LogQueue queue(pipe.writer.get(), milliseconds(1));
  queue.push(std::string(LogQueue::kMaxBytes - 1, 'x') + "\n");
}

TEST(LogQueue, BrokenDescriptorCountsWhatItLost) {
  LogQueue queue(-1);
  queue.push("lost\n");
  while (queue.dropped() == 0) std::this_thread::yield();
  EXPECT_EQ(queue.dropped(), 1u);
}

}  // namespace
}  // namespace sluice
