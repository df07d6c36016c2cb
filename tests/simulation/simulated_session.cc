#include "simulation/simulated_session.h"

#include <gtest/gtest.h>

#include "testing/test_loop.h"

namespace sluice::simulation {
namespace {

using namespace std::chrono_literals;
using session::SessionEndKind;

constexpr int kSteps = 150;
constexpr nanoseconds kExpiryTolerance = 1s;
constexpr nanoseconds kDrainPatience = 10s;  // of a port session, after the client's Close

std::unique_ptr<Subject> make_subject(net::Executor executor, Dice& dice) {
  switch (dice.below(3)) {
    case 0: return make_log(executor, dice);
    case 1: return make_process(executor, dice);
    default: return make_ports(executor, dice);
  }
}

}  // namespace

SimulatedSession::Client::Client(net::EventLoop& loop, std::unique_ptr<net::Stream> stream,
                                 net::Timers& timers, Random& random)
    : socket(loop.executor(), std::move(stream), {.role = ws::Role::Client, .compression = {}},
             timers, random, {}),
      reader(loop.executor()),
      writer(loop.executor()),
      said(loop.executor()) {}

SimulatedSession::SimulatedSession(std::uint64_t seed)
    : dice_(seed),
      clock_(loop_),
      random_(seed),
      pipe_(loop_),
      interruption_(loop_.executor()),
      clock_jump_(clock_.now(), clock_.wall_now()),
      subject_(make_subject(loop_.executor(), dice_)),
      socket_(loop_.executor(), std::move(pipe_.server), {}, clock_, random_, {}),
      client_(loop_, std::move(pipe_.client), clock_, random_),
      session_(loop_.executor()) {
  if (dice_.chance(30)) token_expires_at_ = clock_.wall_now() + seconds(dice_.below(3600));
}

SimulatedSession::~SimulatedSession() {
  for (net::TaskGroup* group : {&session_, &client_.reader, &client_.writer}) {
    group->cancel();
    testing::run_until_empty(loop_, *group);
  }
}

void SimulatedSession::play() {
  session_.spawn("session", serve());
  client_.reader.spawn("client reads", client_reads());
  client_.writer.spawn("client writes", client_writes());
  for (int i = 0; i < kSteps && !end_ && !::testing::Test::HasFailure(); ++i) {
    step();
    check();
  }
  wait_for_end();
  check();
  check_end();
}

net::Task<> SimulatedSession::serve() {
  const session::SessionContext context{.executor = loop_.executor(),
                                        .timers = clock_,
                                        .interruption = interruption_,
                                        .token_expires_at = token_expires_at_};
  end_ = co_await subject_->run(context, socket_);
  ++ends_;
  ended_at_ = clock_.now();
  const std::optional<ws::Close> close = close_for(*end_);
  if (close) {
    co_await socket_.close(*close, 5s);
  } else {
    socket_.abort();
  }
}

net::Task<> SimulatedSession::client_reads() {
  while (!client_.closed) {
    const Result<ws::Received> received = co_await client_.socket.receive();
    if (!received) co_return;
    if (const auto* close = std::get_if<ws::Close>(&*received)) {
      client_.closed = *close;
      co_return;
    }
    const auto& piece = std::get<ws::MessagePiece>(*received);
    client_.message += as_text(piece.payload);
    if (piece.ends_message) subject_->hear(std::exchange(client_.message, {}));
  }
}

net::Task<> SimulatedSession::client_writes() {
  while (true) {
    while (client_.outbox.empty()) {
      const Result<> woken = co_await client_.said.wait();
      if (!woken) co_return;
    }
    const std::optional<std::string> message = std::move(client_.outbox.front());
    client_.outbox.pop_front();
    if (!message) break;
    const Bytes bytes = as_bytes(*message);
    const Result<> sent = co_await client_.socket.send(ws::Opcode::Binary, bytes);
    if (!sent) co_return;
  }
  client_.reader.cancel();
  co_await client_.reader.join();
  client_closed_at_ = clock_.now();
  const ws::Close close{ws::CloseCode::Normal, {}};
  co_await client_.socket.close(close, 1h);
}

void SimulatedSession::step() {
  const std::size_t choice = dice_.below(1000);
  if (choice < 350) {
    subject_->act(dice_);
  } else if (choice < 900) {
    client_acts();
  } else {
    world_acts();
  }
  const nanoseconds pause = dice_.chance(95) ? milliseconds(dice_.size(20'000)) : seconds(200);
  clock_.advance(dice_.chance(30) ? 0ns : pause);
}

void SimulatedSession::client_acts() {
  const std::size_t choice = dice_.below(100);
  if (client_.closing) return;
  if (choice < 60) {
    client_.outbox.push_back(subject_->say(dice_));
    client_.said.notify();
  } else if (choice < 75) {
    client_.reader.cancel();
    testing::run_until_empty(loop_, client_.reader);
  } else if (choice < 99) {
    if (client_.reader.size() == 0) client_.reader.spawn("client reads", client_reads());
  } else {
    client_.closing = true;
    client_.outbox.push_back(std::nullopt);
    client_.said.notify();
  }
}

void SimulatedSession::world_acts() {
  const std::size_t choice = dice_.below(100);
  if (choice < 60) {
    pipe_.set_options({.capacity = dice_.size(200'000), .fragment = dice_.size(100'000)});
  } else if (choice < 85) {
    clock_.jump_wall_clock(seconds(dice_.below(1200)) - 600s);
    if (clock_jump_.look(clock_.now(), clock_.wall_now())) interruption_.wall_clock_set();
  } else if (choice < 90) {
    pipe_.reset();
  } else if (choice < 95) {
    subject_->delete_pod();
  } else {
    interruption_.interrupt({SessionEndKind::ShuttingDown, "server shutting down", {}});
  }
}

/// The target ends and the client reads; what waits for the client's own end even then is
/// interrupted.
void SimulatedSession::wait_for_end() {
  subject_->finish();
  pipe_.set_options({});
  if (!client_.closing && client_.reader.size() == 0) {
    client_.reader.spawn("client reads", client_reads());
  }
  clock_.advance(30s);
  if (!end_) interruption_.interrupt({SessionEndKind::ShuttingDown, "server shutting down", {}});
  clock_.advance(30s);
}

void SimulatedSession::check() const {
  subject_->check_order();
  EXPECT_LE(subject_->buffered_output(), kMostBufferedBytes);
  if (!end_ && token_expires_at_ != WallTime::max()) {
    EXPECT_LT(clock_.wall_now(), token_expires_at_ + kExpiryTolerance) << "the token has expired";
  }
}

void SimulatedSession::check_end() const {
  EXPECT_EQ(ends_, 1) << "a session ends, once";
  if (!end_) return;
  EXPECT_EQ(session_.size(), 0u) << "and nothing of it is left";
  EXPECT_EQ(clock_.sleeping(), 0u);
  EXPECT_TRUE(end_->kind == SessionEndKind::ClientClosed || !end_->reason.empty());
  const bool is_clean_end =
      end_->kind == SessionEndKind::Completed || end_->kind == SessionEndKind::TargetDeleted;
  if (is_clean_end && client_.closed && client_.closed->code != ws::CloseCode::Abnormal) {
    subject_->check_all_output();
  }
  if (end_->kind == SessionEndKind::ClientClosed &&
      ended_at_ - client_closed_at_ < kDrainPatience) {
    subject_->check_all_input();
  }
}

}  // namespace sluice::simulation
