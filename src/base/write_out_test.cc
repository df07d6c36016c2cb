#include "base/write_out.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/unique_fd.h"

namespace sluice {
namespace {

TEST(WriteOutTest, DescriptorThatDoesNotBlockIsWaitedFor) {
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_NONBLOCK | O_CLOEXEC), 0);
  UniqueFd reader(pipe[0]);
  UniqueFd writer(pipe[1]);
  const std::string sent(1'000'000, 'x');
  std::string came;
  std::thread other([&] {
    std::array<char, 4096> block{};
    for (ssize_t count = 1; count != 0;) {
      count = ::read(reader.get(), block.data(), block.size());
      if (count > 0) came.append(block.data(), static_cast<std::size_t>(count));
    }
  });
  EXPECT_EQ(write_all(writer.get(), sent), 0);
  writer.reset();
  other.join();
  EXPECT_EQ(came, sent);
}

TEST(WriteOutTest, WhatWasNotWrittenIsLeft) {
  std::string_view bytes = "one";
  EXPECT_EQ(write_out(-1, bytes), EBADF);
  EXPECT_EQ(bytes, "one");
}

}  // namespace
}  // namespace sluice
