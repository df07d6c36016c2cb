#include <gtest/gtest.h>

#include "simulation/subject.h"
#include "testing/fake_streams.h"

namespace sluice::simulation {
namespace {

using backend::StreamEnd;

class LogSubject final : public Subject {
 public:
  LogSubject(net::Executor executor, Dice& dice)
      : log_(std::make_shared<testing::FakeLog>(executor)) {
    log_->block_bytes = dice.size(256_KiB);
    log_->piece_bytes = dice.size(100'000);
    stream_ = testing::FakeLog::open(log_, {.follow = true});
  }

  net::Task<session::SessionEnd> run(session::SessionContext context,
                                     ws::Connection& socket) override {
    return run_log_session(context, socket, *stream_);
  }
  std::string say(Dice& dice) override { return dice.bytes(dice.size(1000)); }
  void hear(std::string_view message) override {
    EXPECT_TRUE(message.ends_with('\n')) << "a message is a whole line";
    received_ += message;
  }
  void act(Dice& dice) override {
    if (ended_) return;
    for (std::size_t lines = dice.below(100); lines > 0; --lines) {
      std::string line = dice.bytes(dice.size(20'000)) + "\n";
      written_ += line;
      log_->append(std::move(line));
    }
  }
  void delete_pod() override { end(StreamEnd::TargetDeleted); }
  void finish() override { end(StreamEnd::Completed); }

  std::size_t buffered_output() const override { return 0; }  // blocks, of which it holds one
  void check_order() const override { EXPECT_TRUE(written_.starts_with(received_)); }
  void check_all_output() const override { EXPECT_EQ(received_.size(), written_.size()); }
  void check_all_input() const override {}

 private:
  void end(StreamEnd how) {
    if (!ended_) log_->end(how);
    ended_ = true;
  }

  std::shared_ptr<testing::FakeLog> log_;
  std::unique_ptr<backend::LogStream> stream_;
  std::string written_;
  std::string received_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Subject> make_log(net::Executor executor, Dice& dice) {
  return std::make_unique<LogSubject>(executor, dice);
}

}  // namespace sluice::simulation
