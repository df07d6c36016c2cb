#include "cli/logs/prefixed_output.h"

#include <gtest/gtest.h>

#include "net/event.h"
#include "net/task_group.h"
#include "testing/test_loop.h"

namespace sluice::cli {
namespace {

/// Takes all; wait() takes until leave().
class SlowOutput final : public Output {
 public:
  explicit SlowOutput(net::Executor executor) : left_(executor) {}

  void append(Bytes bytes) override { text += as_text(bytes); }
  net::Task<Result<>> wait() override { return left_.wait(); }
  void leave() { left_.notify(); }

  std::string text;

 private:
  net::Event left_;
};

class PrefixedOutputTest : public ::testing::Test {
 protected:
  static net::Task<> write(PrefixedOutput& output) { (void)co_await output.wait(); }
  static net::Task<> finish(PrefixedOutput& output) { (void)co_await output.finish(); }

  void run(net::Task<> task) {
    shown_.leave();
    tasks_.spawn("write", std::move(task));
    sluice::testing::run_until_empty(loop_, tasks_);
  }

  net::EventLoop loop_;
  SlowOutput shown_{loop_.executor()};
  SharedOutput shared_{loop_.executor(), shown_};
  PrefixedOutput a_{shared_, "a "};
  PrefixedOutput b_{shared_, "b "};
  net::TaskGroup tasks_{loop_.executor()};
};

TEST_F(PrefixedOutputTest, LinesAreWholeHoweverTheyCome) {
  for (const char c : std::string_view("one\n\ntwo\nthr")) {
    a_.append(as_bytes(std::string_view(&c, 1)));
    b_.append(as_bytes("x"));
  }
  run(write(a_));
  EXPECT_EQ(shown_.text, "a one\na \na two\n");
  a_.append(as_bytes("ee\n"));
  run(write(a_));
  EXPECT_EQ(shown_.text, "a one\na \na two\na three\n");
}

TEST_F(PrefixedOutputTest, LastLineWithoutAnEndGetsOne) {
  a_.append(as_bytes("one\ntwo"));
  run(finish(a_));
  EXPECT_EQ(shown_.text, "a one\na two\n");
}

TEST_F(PrefixedOutputTest, OthersWaitWhileTheOutputTakesNoMore) {
  a_.append(as_bytes("one\n"));
  b_.append(as_bytes("two\n"));
  tasks_.spawn("a", write(a_));
  sluice::testing::run_until_idle(loop_);
  tasks_.spawn("b", write(b_));
  sluice::testing::run_until_idle(loop_);
  EXPECT_EQ(shown_.text, "a one\n");
  shown_.leave();
  sluice::testing::run_until_idle(loop_);
  EXPECT_EQ(shown_.text, "a one\nb two\n");
  shown_.leave();
  sluice::testing::run_until_empty(loop_, tasks_);
}

TEST_F(PrefixedOutputTest, WhoeverIsCancelledLeavesTheTurnToTheNext) {
  a_.append(as_bytes("one\n"));
  tasks_.spawn("a", write(a_));
  sluice::testing::run_until_idle(loop_);
  tasks_.cancel();
  sluice::testing::run_until_empty(loop_, tasks_);
  EXPECT_TRUE(shared_.state);
  b_.append(as_bytes("two\n"));
  run(write(b_));
  EXPECT_EQ(shown_.text, "a one\nb two\n");
}

TEST_F(PrefixedOutputTest, LineThatIsTooLongIsBroken) {
  const std::string half(PrefixedOutput::kMaxLineBytes / 2, 'x');
  for (int i = 0; i < 3; ++i) a_.append(as_bytes(half));
  a_.append(as_bytes("\n"));
  run(write(a_));
  EXPECT_EQ(shown_.text, "a " + half + half + "\na " + half + "\n");
}

}  // namespace
}  // namespace sluice::cli
