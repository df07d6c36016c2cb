#include "net/program.h"

#include <gmock/gmock.h>

#include "testing/test_loop.h"

namespace sluice::net {
namespace {

class ProgramTest : public ::testing::Test {
 protected:
  Result<ProgramEnd> run(Program program) {
    return testing::run(loop_, run_program(std::move(program)));
  }
  Result<ProgramEnd> run_script(const std::string& script) {
    return run({.command = "sh", .arguments = {"-c", script}});
  }

  EventLoop loop_;
};

TEST_F(ProgramTest, OutputErrorsAndExitCodeComeBack) {
  const auto end = run_script("echo out; echo err >&2; exit 3");
  ASSERT_TRUE(end);
  EXPECT_EQ(end->output, "out\n");
  EXPECT_EQ(end->errors, "err\n");
  EXPECT_EQ(end->exit_code, 3);
}

TEST_F(ProgramTest, ArgumentsAreNoShellText) {
  const auto end = run({.command = "printf", .arguments = {"%s", "$HOME; `id`"}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->output, "$HOME; `id`");
}

TEST_F(ProgramTest, EnvironmentIsOursAndWhatIsAdded) {
  ASSERT_EQ(::setenv("SLUICE_TEST_A", "ours", 1), 0);
  const auto end = run({.command = "sh",
                        .arguments = {"-c", "echo $SLUICE_TEST_A $SLUICE_TEST_B"},
                        .environment = {{"SLUICE_TEST_B", "added"}}});
  EXPECT_EQ(end->output, "ours added\n");
  const auto replaced = run({.command = "sh",
                             .arguments = {"-c", "echo $SLUICE_TEST_A"},
                             .environment = {{"SLUICE_TEST_A", "replaced"}}});
  EXPECT_EQ(replaced->output, "replaced\n");
}

TEST_F(ProgramTest, StandardInputIsEmpty) {
  EXPECT_EQ(run_script("cat; echo end")->output, "end\n");
}

TEST_F(ProgramTest, MissingProgramIsNotFound) {
  EXPECT_EQ(run({.command = "sluice-no-such-program"}).error().code, ErrorCode::NotFound);
}

TEST_F(ProgramTest, SignalIsPartOfTheExitCode) {
  EXPECT_EQ(run_script("kill -9 $$")->exit_code, 128 + 9);
}

TEST_F(ProgramTest, LargeOutputComesWholeUpToTheLimit) {
  EXPECT_EQ(run_script("head -c 1000000 /dev/zero")->output.size(), 1'000'000U);
  EXPECT_FALSE(run_script("head -c 2000000 /dev/zero"));
  EXPECT_EQ(run_script("head -c 200000 /dev/zero >&2")->errors.size(), 4096U);
}

TEST_F(ProgramTest, WhatItLeavesBehindIsNotWaitedFor) {
  EXPECT_EQ(run_script("echo early; sleep 60 &")->output, "early\n");
}

TEST_F(ProgramTest, CancellingKillsIt) {
  TaskGroup group(loop_.executor());
  std::optional<Result<ProgramEnd>> end;
  Program program{.command = "sleep", .arguments = {"60"}};
  group.spawn("program", testing::store_result(run_program(std::move(program)), end));
  testing::run_until_idle(loop_);
  group.cancel();
  testing::run_until_empty(loop_, group);
  ASSERT_TRUE(end && !*end);
  EXPECT_EQ(end->error().code, ErrorCode::Cancelled);
}

}  // namespace
}  // namespace sluice::net
