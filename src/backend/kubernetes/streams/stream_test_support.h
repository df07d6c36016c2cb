// StreamTestBed: one Upstream over a memory pipe, and the API server at its other end, for tests of
// what is built on it. Time is virtual; the test says what happens to the pod.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "backend/kubernetes/streams/upstream.h"
#include "backend/loop_tasks.h"
#include "testing/memory_pipe.h"
#include "testing/seeded_random.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::backend::kubernetes {

/// The next message, or "close 1000".
inline net::Task<std::string> receive_text(ws::Connection& socket) {
  std::string text;
  while (true) {
    const Result<ws::Received> received = co_await socket.receive();
    if (!received) co_return received.error().message;
    if (const auto* close = std::get_if<ws::Close>(&*received)) {
      co_return "close " + std::to_string(static_cast<int>(close->code));
    }
    const auto& piece = std::get<ws::MessagePiece>(*received);
    text += as_text(piece.payload);
    if (piece.ends_message) co_return text;
  }
}

/// A message of a channel: message(1, "out").
inline std::string message(int channel, std::string_view payload) {
  return static_cast<char>(channel) + std::string(payload);
}

class StreamTestBed {
 public:
  explicit StreamTestBed(testing::MemoryPipe::Options options = {}) : pipe(loop, options) {
    server = std::make_unique<ws::Connection>(loop.executor(), std::move(pipe.server),
                                              ws::Connection::Options{.role = ws::Role::Server},
                                              clock, random, std::string());
  }
  StreamTestBed(const StreamTestBed&) = delete;
  StreamTestBed& operator=(const StreamTestBed&) = delete;
  ~StreamTestBed() {
    testing::run(loop, tasks.stop());
    testing::run_until_idle(loop);
  }

  /// Once.
  std::unique_ptr<Upstream> make_upstream() {
    auto socket = std::make_unique<ws::Connection>(
        loop.executor(), std::move(pipe.client), ws::Connection::Options{.role = ws::Role::Client},
        clock, random, std::string());
    return std::make_unique<Upstream>(loop.executor(), clock, std::move(socket),
                                      watches.watch(make_pod(), loop.executor()),
                                      Upstream::Options());
  }

  /// What the server sends; pieces of one message are several frames.
  void say(std::string_view text, bool final = true, ws::Opcode opcode = ws::Opcode::Binary) {
    ASSERT_TRUE(testing::run(loop, server->send(opcode, as_bytes(text), final)));
  }
  void say_close() {
    const std::string code("\x03\xE8", 2);
    say(code, true, ws::Opcode::Close);
  }
  void hang_up() { server.reset(); }
  std::string hear() { return testing::run(loop, receive_text(*server)); }

  void mark_pod_deleting() {
    auto pod = make_pod();
    pod->deleting = true;
    watches.publish(pod->uid, pod);
    testing::run_until_idle(loop);
  }
  void delete_pod() {
    watches.publish(make_pod()->uid, nullptr);
    testing::run_until_idle(loop);
  }

  net::EventLoop loop;
  testing::VirtualClock clock{loop};
  testing::SeededRandom random{1};
  LoopTasks tasks{{&loop}};
  PodWatchRegistry watches;
  testing::MemoryPipe pipe;
  std::unique_ptr<ws::Connection> server;

 private:
  static std::shared_ptr<PodRecord> make_pod() {
    auto pod = std::make_shared<PodRecord>();
    pod->uid = "uid";
    return pod;
  }
};

/// A task that runs while the test goes on.
template <typename T>
class Background {
 public:
  Background(net::EventLoop& loop, net::Task<T> task) : loop_(loop), group_(loop.executor()) {
    group_.spawn("background", testing::store_result(std::move(task), result_));
    testing::run_until_idle(loop);
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background() { cancel(); }

  void cancel() {
    group_.cancel();
    testing::run_until_empty(loop_, group_);
  }
  bool is_done() {
    testing::run_until_idle(loop_);
    return result_.has_value();
  }
  T get() {
    testing::run_until_empty(loop_, group_);
    return *std::move(result_);
  }

 private:
  net::EventLoop& loop_;
  std::optional<T> result_;
  net::TaskGroup group_;
};

}  // namespace sluice::backend::kubernetes
