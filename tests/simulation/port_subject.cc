#include <gtest/gtest.h>

#include "simulation/subject.h"
#include "testing/fake_streams.h"

namespace sluice::simulation {
namespace {

using backend::StreamEnd;

/// One port of the session, from its pod's and its client's sides.
struct SimulatedPort {
  std::shared_ptr<testing::FakePort> pod;
  std::string said;     // by the client
  std::string written;  // by the pod
  std::string heard;    // by the client
  bool announced = false;
  bool input_ended = false;
  bool pod_ended = false;
};

class PortSubject final : public Subject {
 public:
  PortSubject(net::Executor executor, Dice& dice) {
    const bool is_raw = dice.chance(50);
    if (!is_raw) options_.framing = session::Framing::ChannelsV4;
    if (is_raw && dice.chance(50)) options_.empty_message = session::EmptyMessage::EndsInput;
    ports_.resize(is_raw ? 1 : 1 + dice.below(4));
    for (SimulatedPort& port : ports_) port.pod = std::make_shared<testing::FakePort>(executor);
  }

  net::Task<session::SessionEnd> run(session::SessionContext context,
                                     ws::Connection& socket) override {
    std::vector<session::ForwardedPort> forwarded;
    for (const SimulatedPort& port : ports_) {
      forwarded.push_back({8080, testing::FakePort::open(port.pod)});
    }
    return run_port_session(context, socket, std::move(forwarded), options_);
  }

  std::string say(Dice& dice) override {
    const std::size_t index = dice.below(ports_.size());
    SimulatedPort& port = ports_[index];
    if (is_raw() && dice.chance(3)) {
      if (options_.empty_message == session::EmptyMessage::EndsInput) port.input_ended = true;
      return {};
    }
    std::string text = dice.bytes(dice.size(100'000));
    if (!port.input_ended) port.said += text;
    if (!is_raw()) text.insert(text.begin(), static_cast<char>(2 * index));
    return text;
  }

  void hear(std::string_view message) override {
    if (is_raw()) {
      ports_[0].heard += message;
      return;
    }
    ASSERT_FALSE(message.empty());
    const auto channel = static_cast<std::size_t>(message.front());
    ASSERT_LT(channel / 2, ports_.size());
    if (channel % 2 == 1) return;
    SimulatedPort& port = ports_[channel / 2];
    if (std::exchange(port.announced, true)) {
      port.heard += message.substr(1);
    } else {
      EXPECT_EQ(message.substr(1), "\x90\x1f");  // 8080
    }
  }

  void act(Dice& dice) override {
    SimulatedPort& port = ports_[dice.below(ports_.size())];
    port.pod->set_input_room(dice.chance(60) ? testing::kUnlimited : dice.below(50'000));
    if (port.pod_ended) return;
    for (std::size_t writes = dice.below(20); writes > 0; --writes) {
      std::string text = dice.bytes(dice.size(100'000));
      port.written += text;
      port.pod->send(std::move(text));
    }
    if (dice.chance(2)) end(port, StreamEnd::Completed);
  }
  void delete_pod() override {
    for (SimulatedPort& port : ports_) end(port, StreamEnd::TargetDeleted);
  }
  void finish() override {
    for (SimulatedPort& port : ports_) {
      port.pod->set_input_room(testing::kUnlimited);
      end(port, StreamEnd::Completed);
    }
  }

  std::size_t buffered_output() const override {
    std::size_t all = 0;
    for (const SimulatedPort& port : ports_) all += port.pod->bytes_read - port.heard.size();
    return all;
  }
  void check_order() const override {
    for (const SimulatedPort& port : ports_) {
      EXPECT_TRUE(port.said.starts_with(port.pod->received));
      EXPECT_TRUE(port.written.starts_with(port.heard));
    }
  }
  void check_all_output() const override {
    for (const SimulatedPort& port : ports_) EXPECT_EQ(port.heard.size(), port.written.size());
  }
  void check_all_input() const override {
    for (const SimulatedPort& port : ports_) {
      if (port.pod_ended) continue;
      EXPECT_EQ(port.pod->received.size(), port.said.size());
    }
  }

 private:
  bool is_raw() const { return options_.framing == session::Framing::Raw; }
  static void end(SimulatedPort& port, StreamEnd how) {
    if (!port.pod_ended) port.pod->end(how);
    port.pod_ended = true;
  }

  session::PortSessionOptions options_;
  std::vector<SimulatedPort> ports_;
};

}  // namespace

std::unique_ptr<Subject> make_ports(net::Executor executor, Dice& dice) {
  return std::make_unique<PortSubject>(executor, dice);
}

}  // namespace sluice::simulation
