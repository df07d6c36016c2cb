#include "recording/recording.h"

#include <utility>

#include <fmt/format.h>

#include "net/current_executor.h"
#include "net/event_loop.h"

namespace sluice::recording {
namespace {

Error lagging() {
  return Error{.code = ErrorCode::Unavailable,
               .message = "the session's recording can't keep up with it"};
}

}  // namespace

net::Task<Result<std::unique_ptr<Recording>>> Recording::begin(Recorder& recorder, Subject subject,
                                                               net::Timers& timers) {
  const net::Executor executor = co_await net::current_executor();
  std::unique_ptr<Recording> recording(
      new Recording(recorder, std::move(subject), timers, executor));
  CO_TRY_VOID(co_await recording->opened());
  co_return std::move(recording);
}

Recording::Recording(Recorder& recorder, Subject subject, net::Timers& timers,
                     net::Executor executor)
    : recorder_(recorder),
      timers_(timers),
      began_(timers.now()),
      loop_side_(std::make_shared<LoopSide>(executor)) {
  loop_side_->owner = this;
  auto changed = [executor, side = loop_side_] {
    net::post(executor, [side] {
      side->output.notify();
      side->input.notify();
      if (side->owner != nullptr) side->owner->look();
    });
  };
  track_ = std::make_shared<Track>(std::move(subject), std::move(changed));
  recorder_.open(track_);
}

Recording::~Recording() {
  loop_side_->owner = nullptr;
  recorder_.leave(*track_);
  recorder_.end(track_, has_started_ ? Track::Ending::Keep : Track::Ending::Discard);
}

net::Task<Result<>> Recording::opened() {
  const MonotonicTime until = deadline();
  while (recorder_.state(*track_) == Track::State::Opening) {
    if (timers_.now() >= until) {
      fail_lagging();
      break;
    }
    CO_TRY_VOID(co_await timers_.wait_until(loop_side_->output, until));
  }
  std::optional<Error> failure = recorder_.failure(*track_);
  if (!failure || recorder_.options().on_failure == OnFailure::Report) co_return Result<>{};
  failure->details = "sessions like this one are not served unrecorded";
  co_return fail(*std::move(failure));
}

void Recording::on_failure(std::function<void(const Error&)> end_session) {
  end_session_ = std::move(end_session);
  look();
}

net::Task<Result<>> Recording::add_output(Stream stream, Bytes bytes) {
  return add(EventType::Output, stream, bytes, loop_side_->output);
}

net::Task<Result<>> Recording::add_input(Bytes bytes) {
  return add(EventType::Input, Stream::Input, bytes, loop_side_->input);
}

net::Task<Result<>> Recording::add(EventType type, Stream stream, Bytes bytes, net::Event& room) {
  const MonotonicTime until = deadline();
  while (true) {
    Recorder::Pushed pushed = Recorder::Pushed::Full;
    if (add_pending_size()) pushed = recorder_.push(track_, time(), type, stream, as_text(bytes));
    switch (pushed) {
      case Recorder::Pushed::Taken: co_return Result<>{};
      case Recorder::Pushed::Failed:
        if (recorder_.options().on_failure == OnFailure::Report) co_return Result<>{};
        co_return fail(cancelled());
      case Recorder::Pushed::Full: break;
    }
    if (timers_.now() >= until) {
      fail_lagging();
    } else {
      CO_TRY_VOID(co_await timers_.wait_until(room, until));
    }
  }
}

void Recording::add_size(unsigned width, unsigned height) {
  pending_size_ = fmt::format("{}x{}", width, height);
  (void)add_pending_size();
}

/// Whether none is left.
bool Recording::add_pending_size() {
  if (pending_size_.empty()) return true;
  const auto pushed =
      recorder_.push(track_, time(), EventType::Resize, Stream::Stdout, pending_size_);
  if (pushed == Recorder::Pushed::Full) return false;
  pending_size_.clear();
  return true;
}

void Recording::fail_lagging() {
  recorder_.fail(track_, lagging());
  look();
}

void Recording::look() {
  if (!end_session_ || recorder_.options().on_failure == OnFailure::Report) return;
  const std::optional<Error> failure = recorder_.failure(*track_);
  if (failure) std::exchange(end_session_, nullptr)(*failure);
}

net::Task<std::optional<Error>> Recording::finish(std::string reason) {
  end_session_ = nullptr;
  net::Event& changed = loop_side_->output;
  const Bytes label = as_bytes(reason);
  const Result<> marked = co_await add(EventType::Marker, Stream::Stdout, label, changed);
  recorder_.end(track_, Track::Ending::Keep);
  const MonotonicTime until = deadline();
  bool is_cancelled = !marked && marked.error().code == ErrorCode::Cancelled;
  while (!is_cancelled && recorder_.state(*track_) != Track::State::Closed) {
    if (timers_.now() >= until) {
      recorder_.fail(track_, lagging());
      break;
    }
    const Result<> woken = co_await timers_.wait_until(changed, until);
    is_cancelled = !woken.has_value();
  }
  co_return recorder_.failure(*track_);
}

}  // namespace sluice::recording
