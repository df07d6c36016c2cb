#include <gtest/gtest.h>

#include "simulation/subject.h"
#include "testing/fake_streams.h"

namespace sluice::simulation {
namespace {

using backend::OutputChannel;
using session::Framing;

constexpr std::size_t kStdin = 0;
constexpr std::size_t kStdout = 1;
constexpr std::size_t kStderr = 2;

class ProcessSubject final : public Subject {
 public:
  ProcessSubject(net::Executor executor, Dice& dice)
      : process_(std::make_shared<testing::FakeProcess>(executor)) {
    const Framing framings[] = {Framing::Raw, Framing::ChannelsV4, Framing::ChannelsV5};
    options_.framing = framings[dice.below(3)];
    options_.streams.stdin = true;
    if (is_raw() && dice.chance(50)) options_.empty_message = session::EmptyMessage::EndsInput;
    stream_ = testing::FakeProcess::open(process_, options_.streams);
  }

  net::Task<session::SessionEnd> run(session::SessionContext context,
                                     ws::Connection& socket) override {
    return run_process_session(context, socket, *stream_, options_);
  }

  std::string say(Dice& dice) override {
    if (dice.chance(3)) return end_input();
    std::string text = dice.bytes(dice.size(100'000));
    if (!input_ended_) said_ += text;
    if (!is_raw()) text.insert(text.begin(), char{kStdin});
    return text;
  }

  void hear(std::string_view message) override {
    if (is_raw()) {
      heard_[kStdout] += message;  // written to both: compared by size and content of the order
      return;
    }
    if (message.empty()) return;
    const auto channel = static_cast<std::size_t>(message.front());
    if (channel == kStdout || channel == kStderr) heard_[channel] += message.substr(1);
  }

  void act(Dice& dice) override {
    process_->set_input_room(dice.chance(60) ? testing::kUnlimited : dice.below(50'000));
    if (exited_) return;
    for (std::size_t writes = dice.below(20); writes > 0; --writes) {
      const bool is_stdout = dice.chance(70);
      std::string text = dice.bytes(dice.size(100'000));
      written_[is_raw() || is_stdout ? kStdout : kStderr] += text;
      process_->write(is_stdout ? OutputChannel::Stdout : OutputChannel::Stderr, std::move(text));
    }
    if (dice.chance(1)) exit(backend::Exited{static_cast<int>(dice.below(256))});
  }
  void delete_pod() override { exit(backend::ProcessDeleted{}); }
  void finish() override {
    process_->set_input_room(testing::kUnlimited);
    exit(backend::Killed{15});
  }

  std::size_t buffered_output() const override {
    return process_->bytes_read - heard_[kStdout].size() - heard_[kStderr].size();
  }
  void check_order() const override {
    EXPECT_TRUE(said_.starts_with(process_->input));
    for (const std::size_t channel : {kStdout, kStderr}) {
      EXPECT_TRUE(written_[channel].starts_with(heard_[channel])) << "channel " << channel;
    }
  }
  void check_all_output() const override {
    for (const std::size_t channel : {kStdout, kStderr}) {
      EXPECT_EQ(heard_[channel].size(), written_[channel].size()) << "channel " << channel;
    }
  }
  void check_all_input() const override {
    if (exited_) return;
    EXPECT_EQ(process_->input.size(), said_.size());
  }

 private:
  bool is_raw() const { return options_.framing == Framing::Raw; }

  std::string end_input() {
    if (options_.framing == Framing::ChannelsV5) {
      input_ended_ = true;
      return std::string("\xFF\0", 2);
    }
    if (options_.empty_message == session::EmptyMessage::EndsInput) input_ended_ = true;
    return {};
  }
  void exit(backend::ProcessExit how) {
    if (!exited_) process_->exit(std::move(how));
    exited_ = true;
  }

  session::ProcessSessionOptions options_;
  std::shared_ptr<testing::FakeProcess> process_;
  std::unique_ptr<backend::RemoteProcess> stream_;
  std::string said_;
  bool input_ended_ = false;
  bool exited_ = false;
  std::string written_[3];  // by channel
  std::string heard_[3];
};

}  // namespace

std::unique_ptr<Subject> make_process(net::Executor executor, Dice& dice) {
  return std::make_unique<ProcessSubject>(executor, dice);
}

}  // namespace sluice::simulation
