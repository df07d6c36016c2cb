#include <gmock/gmock.h>

#include "backend/local/local_backend_test_support.h"
#include "backend/local/local_exec.h"

namespace sluice::backend::local {
namespace {

using ::testing::HasSubstr;

class LocalAttachTest : public LocalBackendTest {
 protected:
  static AttachOptions with_stdin() {
    AttachOptions options;
    options.stdin = true;
    return options;
  }
  void start_and_wait(const std::string& script, const std::string& more = ", stdin: true") {
    start(workload(script, more));
    wait_phase("Running");
  }
};

TEST_F(LocalAttachTest, JoinsFromNowOnAndGetsTheResult) {
  start_and_wait("while read line; do echo got $line; test $line = end && exit 7; done");
  const auto process = *attach(with_stdin());
  write(*process, "one\nend\n");
  EXPECT_EQ(output(*process), "got one\ngot end\n");
  EXPECT_EQ(exit_code(*process), 7);
}

TEST_F(LocalAttachTest, KeepsStdoutAndStderrApart) {
  start_and_wait("read x; echo out; echo err >&2");
  const auto process = *attach(with_stdin());
  write(*process, "\n");
  const Outputs got = outputs(*process);
  EXPECT_EQ(got.out, "out\n");
  EXPECT_EQ(got.err, "err\n");
}

TEST_F(LocalAttachTest, StdinHasOneHolder) {
  start_and_wait("cat");
  auto first = *attach(with_stdin());
  const auto second = attach(with_stdin());
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(second.error().message, HasSubstr("held by another session"));
  EXPECT_THAT(second.error().message, HasSubstr("use exec"));
  EXPECT_TRUE(attach({})) << "reading along is free";
  first.reset();
  testing::run_until_idle(loop_);
  EXPECT_TRUE(attach(with_stdin()));
}

TEST_F(LocalAttachTest, AContainerWithoutStdinSaysSo) {
  start_and_wait("sleep 1000", "");
  const auto result = attach(with_stdin());
  EXPECT_EQ(result.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(result.error().message, HasSubstr("started without stdin"));
}

TEST_F(LocalAttachTest, EndingAnAttachOrItsStdinLeavesTheTargetAlone) {
  start_and_wait("while read line; do echo $line; done; echo ended");
  auto first = *attach(with_stdin());
  ASSERT_TRUE(run(loop_, first->close_stdin()));
  first.reset();
  testing::run_until_idle(loop_);
  const auto second = *attach(with_stdin());
  write(*second, "still here\n");
  EXPECT_EQ(output(*second, 11), "still here\n");
  EXPECT_EQ(phase(), "Running");
}

TEST_F(LocalAttachTest, ASlowAttachLosesNothing) {
  start_and_wait("read x; head -c 5000000 /dev/zero; echo end >&2");
  const auto process = *attach(with_stdin());
  write(*process, "\n");
  testing::run_until_idle(loop_);
  const Outputs got = outputs(*process);
  EXPECT_EQ(got.out.size(), 5000000u);
  EXPECT_EQ(got.err, "end\n");
  EXPECT_EQ(exit_code(*process), 0);
}

TEST_F(LocalAttachTest, ALostSlowAttachLetsTheContainerGoOn) {
  start_and_wait("read x; head -c 5000000 /dev/zero");
  auto process = *attach(with_stdin());
  write(*process, "\n");
  testing::run_until_idle(loop_);
  process.reset();
  wait_phase("Completed");
}

TEST_F(LocalAttachTest, ATerminalIsSharedAndResized) {
  start_and_wait(
      "read x; stty size; trap \"stty size; exit\" WINCH; echo ready; while :; do sleep 0.01; done",
      ", stdin: true, tty: true");
  AttachOptions options = with_stdin();
  options.tty = true;
  options.size = TerminalSize{.width = 120, .height = 40};
  const auto process = *attach(options);
  write(*process, "\n");
  EXPECT_THAT(output(*process, 17), HasSubstr("40 120\r\nready\r\n"));
  process->resize({.width = 90, .height = 20});
  EXPECT_THAT(output(*process), HasSubstr("20 90\r\n"));
}

TEST_F(LocalAttachTest, RemovingThePodEndsIt) {
  start_and_wait("sleep 1000");
  const auto process = *attach(with_stdin());
  write_workloads("");
  backend_->reload();
  EXPECT_TRUE(std::holds_alternative<ProcessDeleted>(wait_exit(*process)));
  EXPECT_EQ(output(*process), "");
}

}  // namespace
}  // namespace sluice::backend::local
