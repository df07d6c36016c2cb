#include "backend/local/terminal.h"

#include <cerrno>
#include <deque>

#include <gtest/gtest.h>

namespace sluice::backend::local {
namespace {

/// What the reads of a test come to: a count, or an error as a negative number.
std::deque<int> answers;

ssize_t read_answer(int, void*, std::size_t) {
  const int answer = answers.front();
  answers.pop_front();
  if (answer >= 0) return answer;
  errno = -answer;
  return -1;
}

ssize_t read_output_of(std::deque<int> given) {
  answers = std::move(given);
  std::byte buffer[8];
  const ssize_t count = read_output(-1, buffer, read_answer);
  EXPECT_TRUE(answers.empty()) << "all are asked for";
  return count;
}

TEST(ReadOutput, WhatIsWrittenWhileATerminalsEndIsToldIsRead) {
  EXPECT_EQ(read_output_of({-EIO, 4}), 4);
  EXPECT_EQ(read_output_of({-EIO, -EIO}), 0);
}

TEST(ReadOutput, NothingYetIsNoEnd) {
  EXPECT_EQ(read_output_of({-EAGAIN}), -1);
  EXPECT_EQ(read_output_of({-EINTR, 3}), 3);
  EXPECT_EQ(read_output_of({0}), 0);
  EXPECT_EQ(read_output_of({-EBADF}), 0);
}

}  // namespace
}  // namespace sluice::backend::local
