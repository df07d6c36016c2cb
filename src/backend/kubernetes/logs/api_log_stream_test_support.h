// ApiLogStreamTest: a log by the API server as a session reads it, and what the server answers.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "backend/kubernetes/api/api_client_test_support.h"
#include "backend/kubernetes/logs/api_log_stream.h"
#include "backend/kubernetes/logs/log_stream_test_support.h"

namespace sluice::backend::kubernetes {

inline const std::string kPath = "/api/v1/namespaces/team/pods/train-0/log";

/// The n-th line, as the API server sends it: half a second after the one before.
inline std::string line(int n) {
  return fmt::format("2026-01-02T03:04:{:02}.{}00000000Z line {}\n", n / 2, n % 2 * 5, n);
}
inline std::string lines(int first, int last) {
  std::string text;
  for (int n = first; n <= last; ++n) text += line(n);
  return text;
}

class ApiLogStreamTest : public ApiClientFixture {
 protected:
  ApiLogStreamTest() {
    server_.on(kPath, [this](const testing::ApiCall&) -> testing::ApiAnswer {
      if (answers_.empty()) return testing::Silence::Hang;
      testing::ApiAnswer answer = std::move(answers_.front());
      answers_.pop_front();
      return answer;
    });
  }
  ~ApiLogStreamTest() override {
    group_.cancel();
    testing::run_until_empty(loop_, group_);
  }

  /// The next request's body.
  std::shared_ptr<testing::FakeBody> expect_body(std::string_view text = {}) {
    auto body = std::make_shared<testing::FakeBody>();
    if (!text.empty()) body->write(text);
    answers_.emplace_back(body);
    open_bodies_.push_back(body);
    return body;
  }
  /// The next request's body is this, whole.
  void expect_whole_body(std::string_view text) {
    expect_body(text)->end();
    open_bodies_.pop_back();  // so that its connection is closed
  }
  void expect_refusal(unsigned status, const std::string& message) {
    answers_.emplace_back(http::Response{
        {status, {}}, fmt::format(R"({{"kind":"Status","message":"{}"}})", message)});
  }

  ContainerRecord& container() { return pod_.containers.front(); }
  /// What the informers say of the pod from now on.
  void publish() {
    registry_.publish("u1", std::make_shared<const PodRecord>(pod_));
    testing::run_until_idle(loop_);
  }
  void publish_gone() {
    registry_.publish("u1", nullptr);
    testing::run_until_idle(loop_);
  }
  void publish_ended() {
    container().state = ContainerState::Terminated;
    publish();
  }

  /// Opens the log, and reads it until it ends, as a session would.
  void open(LogOptions options) {
    auto watch = registry_.watch(std::make_shared<const PodRecord>(pod_), loop_.executor());
    group_.spawn("session", session(std::move(watch), std::move(options)));
    testing::run_until_idle(loop_);
  }
  void follow() { open({.follow = true}); }
  /// Lets it try again.
  void wait(nanoseconds duration = seconds(10)) { clock_.advance(duration); }
  net::Task<> session(std::unique_ptr<PodWatch> watch, LogOptions options) {
    const LogServices services{client_, clock_, random_};
    auto opened =
        co_await open_api_log(services, std::move(watch), container_name_, options, std::nullopt);
    if (!opened) {
      error_ = opened.error();
      co_return;
    }
    opened_ = true;
    const std::unique_ptr<LogStream> log = *std::move(opened);
    while (!log->end()) {
      const Result<> ready = co_await log->readable();
      const auto pieces = ready ? log->read() : fail(ready.error());
      if (!pieces) {
        error_ = pieces.error();
        co_return;
      }
      for (const LogPiece& piece : *pieces) out_ += piece.text;
    }
    end_ = log->end();
    reason_ = log->end_reason();
  }
  std::string query(std::size_t call) const { return server_.calls().at(call).query; }

  PodWatchRegistry registry_;
  PodRecord pod_ = running_pod();
  std::string container_name_ = "main";
  std::deque<testing::ApiAnswer> answers_;
  std::vector<std::shared_ptr<testing::FakeBody>> open_bodies_;
  net::TaskGroup group_{loop_.executor()};

  bool opened_ = false;
  std::string out_;
  std::optional<Error> error_;
  std::optional<StreamEnd> end_;
  std::string reason_;
};

}  // namespace sluice::backend::kubernetes
