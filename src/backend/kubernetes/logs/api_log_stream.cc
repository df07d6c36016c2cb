#include "backend/kubernetes/logs/api_log_stream.h"

#include <algorithm>

#include <fmt/format.h>

#include "backend/kubernetes/api/readiness.h"
#include "backend/kubernetes/cache/node_start.h"
#include "backend/log_reader_options.h"
#include "base/text.h"
#include "loglines/lines_lost.h"
#include "loglines/record.h"
#include "net/current_executor.h"
#include "net/deadline.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr BackoffOptions kResumeBackoff{milliseconds(100), 2.0, seconds(5), 0.5};
/// More is not received before it is read.
constexpr std::size_t kMaxBufferBytes = 256_KiB;

bool is_over(RunState state) {
  return state == RunState::Ended || state == RunState::Replaced || state == RunState::Forgotten;
}

}  // namespace

net::Task<Result<std::unique_ptr<LogStream>>> open_api_log(LogServices services,
                                                           std::unique_ptr<PodWatch> pod,
                                                           std::string container,
                                                           LogOptions options,
                                                           std::optional<Impersonation> as) {
  const std::shared_ptr<const PodRecord> record = pod->current();
  if (record == nullptr) co_return fail(ErrorCode::NotFound, "the pod was deleted");
  CO_TRY_VOID(record->require_container(container));
  const net::Executor executor = co_await net::current_executor();
  auto log = std::make_unique<ApiLogStream>(services, executor, std::move(pod),
                                            std::move(container), options, std::move(as));
  CO_TRY_VOID(co_await log->open());
  co_return log;
}

ApiLogStream::ApiLogStream(LogServices services, net::Executor executor,
                           std::unique_ptr<PodWatch> pod, std::string container,
                           const LogOptions& options, std::optional<Impersonation> as)
    : services_(services),
      executor_(executor),
      pod_(std::move(pod)),
      container_(std::move(container)),
      follow_(options.follow),
      previous_(options.previous),
      as_(std::move(as)),
      run_(container_),
      resume_({options.since, options.tail_lines}),
      reader_(reader_options(options, loglines::Format::Stamped)),
      reading_(follow_ && !previous_ ? resume_.next_reading() : Reading::Once),
      stalled_before_(options.since),
      backoff_(kResumeBackoff) {}

ApiLogStream::~ApiLogStream() = default;

net::Task<Result<>> ApiLogStream::open() {
  const MonotonicTime deadline = services_.timers.now() + kNodeStart;
  RunState state = run_state();
  Result<> opened = co_await request(state);
  while (!opened && opened.error().code == ErrorCode::NotFound) {
    CO_TRY_VOID(co_await await_node(opened.error(), *pod_, services_.timers, deadline));
    state = run_state();
    opened = co_await request(state);
  }
  if (opened || opened.error().code != ErrorCode::InvalidArgument) co_return opened;
  // The kubelet says 400 to whatever is amiss. The query is ours, so it is the container's state.
  if (previous_) {
    co_return fail(ErrorCode::NotFound,
                   fmt::format("container \"{}\" has no previous run", container_));
  }
  if (state != RunState::NotBegun) co_return fail(ErrorCode::Conflict, opened.error().message);
  if (!follow_) finish();
  co_return Result<>{};
}

net::Task<Result<>> ApiLogStream::readable() {
  while (true) {
    if (has_news()) break;
    if (stream_ && offset_ < buffer_.size()) examine();
    if (has_news()) break;
    if (stream_) {
      CO_TRY_VOID(co_await receive());
    } else {
      CO_TRY_VOID(co_await resume());
    }
  }
  co_return Result<>{};
}

Result<std::span<const LogPiece>> ApiLogStream::read() {
  const std::span<LogPiece> pieces = log_piece_scratch();
  while (!end_) {
    loglines::Reader::Progress progress;
    if (ready_ > 0 && !reader_.limit_reached()) {
      progress = reader_.feed({buffer_.data() + offset_, ready_}, pieces);
      ready_ -= progress.consumed;
    } else if (has_news()) {
      const std::span<char> rest(buffer_.data() + offset_, buffer_.size() - offset_);
      progress = reader_.finish(rest, pieces);
      if (progress.pieces == 0) {
        end_ = coming_end_.value_or(kEndOfLogs);
        drop_body();
      }
    } else {
      break;
    }
    offset_ += progress.consumed;
    if (progress.pieces > 0) return pieces.first(progress.pieces);
  }
  return std::span<const LogPiece>{};
}

/// More of the body.
net::Task<Result<>> ApiLogStream::receive() {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(offset_));
  offset_ = 0;
  Result<Bytes> bytes = stream_->try_read();
  if (bytes && bytes->empty()) {
    buffer_.shrink_to_fit();  // while it waits it holds only what it must
    bytes = co_await read_body();
  }
  if (!bytes && bytes.error().code == ErrorCode::Cancelled) co_return fail(bytes.error());
  if (!bytes || bytes->empty()) {
    end_body(bytes ? BodyEnd::Orderly : BodyEnd::Cut);
    co_return Result<>{};
  }
  while (bytes && !bytes->empty()) {
    const std::string_view text = as_text(*bytes);
    buffer_.insert(buffer_.end(), text.begin(), text.end());
    unchecked_bytes_ += text.size();
    if (buffer_.size() >= kMaxBufferBytes) break;
    bytes = stream_->try_read();  // its error comes again
  }
  co_return Result<>{};
}

/// The next bytes. An API server may leave a stream open, silent, when its pod is gone, or when it
/// can't reach the node any more.
net::Task<Result<Bytes>> ApiLogStream::read_body() {
  if (unchecked_bytes_ >= kMuchBytes) check_interval_ = kFirstCheck;
  Result<Bytes> bytes = fail(cancelled());
  Result<> silence = fail(cancelled());
  net::TaskGroup race(executor_);
  race.spawn("log silence", end_silence(silence, race));
  race.spawn("log read", read_into(bytes, race));  // may be done at once, and cancels the other
  co_await race.finish();
  const bool was_cancelled = !bytes && bytes.error().code == ErrorCode::Cancelled;
  if (was_cancelled && silence) bytes = fail(ErrorCode::Unavailable, "silent");
  co_return bytes;
}

net::Task<> ApiLogStream::read_into(Result<Bytes>& bytes, net::TaskGroup& race) {
  bytes = co_await stream_->read();
  race.cancel();
}

net::Task<> ApiLogStream::end_silence(Result<>& silence, net::TaskGroup& race) {
  silence = co_await outlast_silence();
  if (silence) race.cancel();
}

/// Completes when the stream has been silent for so long that it is taken for stuck. Errors:
/// Cancelled.
net::Task<Result<>> ApiLogStream::outlast_silence() {
  bool is_stalled = false;
  while (may_be_silent() && !is_stalled) {
    const MonotonicTime until = services_.timers.now() + check_interval_;
    const Result<> changed = co_await net::before(until, services_.timers, pod_->changed());
    if (changed) continue;
    if (changed.error().code == ErrorCode::Cancelled) co_return changed;
    CO_TRY(is_stalled, co_await check_is_stalled());
    check_interval_ = std::min(2 * check_interval_, kMaxCheckInterval);
    unchecked_bytes_ = 0;
  }
  co_return co_await services_.timers.sleep_for(kMaxSilence);
}

/// Whether the node has newer lines than came. A kubelet that opened a log just before it was
/// rotated waits at the end of the old file: it watches the folder only from its first end of file
/// on (kubernetes/cri-client pkg/logs, ReadLogs). Errors: Cancelled.
net::Task<Result<bool>> ApiLogStream::check_is_stalled() {
  const std::shared_ptr<const PodRecord> pod = pod_->current();
  if (pod == nullptr || reading_ != Reading::Follow) co_return false;
  // No more than a stamp is wanted.
  ApiRequest request =
      log_request(*pod, container_, "timestamps=true&tailLines=1&limitBytes=64", as_);
  const MonotonicTime until = services_.timers.now() + kFirstCheck;
  const auto newest =
      co_await net::before(until, services_.timers, newest_line_time(std::move(request)));
  if (!newest && newest.error().code == ErrorCode::Cancelled) co_return fail(newest.error());
  if (!newest) co_return false;  // where the node does not say, the next check may tell
  co_return lags_behind(*newest);
}

/// `newest`: nullopt: the log was rotated, and nothing was logged since.
bool ApiLogStream::lags_behind(std::optional<WallTime> newest) {
  if (!newest) {
    const Result<> kept = resume_.note_empty_log();
    if (!kept) note_failure(kept.error());
    return !kept;
  }
  const std::optional<WallTime> seen = std::max(resume_.last_time(), stalled_before_);
  if (seen && *newest <= *seen) return false;
  stalled_before_ = newest;
  return true;
}

net::Task<Result<std::optional<WallTime>>> ApiLogStream::newest_line_time(ApiRequest request) {
  CO_TRY(const std::unique_ptr<ApiStream> body,
         co_await services_.client.stream(std::move(request)));
  std::string text;
  while (true) {
    CO_TRY(const Bytes bytes, co_await body->read());
    if (bytes.empty()) break;
    text += as_text(bytes);
  }
  co_return loglines::time_of(std::string_view(text).substr(0, text.find(' ')));
}

/// Whether there may be nothing to read for a while: nothing is logged, or the node takes its time.
bool ApiLogStream::may_be_silent() {
  const RunState state = run_state();
  return state != RunState::PodGone && (reading_ != Reading::Follow || !is_over(state));
}

/// Finds what is new in what was received.
void ApiLogStream::examine() {
  const Result<loglines::Resume::Taken> taken =
      resume_.take({buffer_.data() + offset_, buffer_.size() - offset_});
  if (!taken) {
    note_failure(taken.error());
    drop_body();
    return;
  }
  offset_ += taken->skip;
  ready_ = taken->take;
  if (ready_ == 0) return;
  failing_.end();
  backoff_.reset();
}

void ApiLogStream::end_body(BodyEnd end) {
  last_end_ = end;
  const Result<loglines::Resume::Taken> rest =
      resume_.end_body(end, {buffer_.data(), buffer_.size()});
  const bool is_anchor = reading_ == Reading::Anchor && end == BodyEnd::Orderly;
  const bool is_final = reading_ == Reading::Once && end == BodyEnd::Orderly;
  // What ended in order may still have been cut behind the API server. Whoever followed reads until
  // there is nothing new.
  const bool log_is_complete = is_final && (!follow_ || previous_ || !resume_.has_news());
  pauses_ = !is_anchor && !is_final;
  if (rest && log_is_complete) {
    offset_ = rest->skip;
    stream_.reset();
    finish();
    return;
  }
  if (!rest) note_failure(rest.error());
  drop_body();
}

/// Another request, when its time has come.
net::Task<Result<>> ApiLogStream::resume() {
  if (failure_ && !may_mend()) {
    CO_TRY_VOID(co_await await_reason());
  } else if (pauses_ && run_state() == asked_at_) {
    CO_TRY_VOID(co_await pause());
  }
  failure_.reset();
  RunState state = run_state();
  while (follow_ && state == RunState::NotBegun) {
    CO_TRY_VOID(co_await pod_->changed());
    state = run_state();
  }
  CO_TRY_VOID(plan(state));
  if (coming_end_) co_return Result<>{};
  const Result<> opened = co_await request(state);
  if (!opened) co_return refused(opened.error());
  co_return Result<>{};
}

/// Until it is worth trying again: after a while, or when the pod has changed.
net::Task<Result<>> ApiLogStream::pause() {
  const MonotonicTime now = services_.timers.now();
  const MonotonicTime until = now + backoff_.next(services_.random);
  const Result<> changed = co_await net::before(until, services_.timers, pod_->changed());
  if (!changed && changed.error().code == ErrorCode::Cancelled) co_return changed;
  co_return Result<>{};
}

void ApiLogStream::note_failure(const Error& error) {
  failure_ = error;
  failing_.go_on(services_.timers.now());
  pauses_ = true;
}

/// Whether the same request may succeed in a while.
bool ApiLogStream::may_mend() const {
  return follow_ && !previous_ && !resume_.has_lost_lines() &&
         failing_.lasted(services_.timers.now()) < kFailurePatience;
}

/// A failure that the run's end explains is none: the API read another run's log, or the node could
/// not read one that it removes. The record that says so may come late.
net::Task<Result<>> ApiLogStream::await_reason() {
  const Error failure = *failure_;
  if (previous_) co_return fail(failure);
  const MonotonicTime until = services_.timers.now() + kRecordPatience;
  while (run_state() == asked_at_ && services_.timers.now() < until) {
    const Result<> changed = co_await net::before(until, services_.timers, pod_->changed());
    if (!changed && changed.error().code == ErrorCode::Cancelled) co_return changed;
  }
  if (run_state() == asked_at_) co_return fail(failure);
  co_return Result<>{};
}

/// How to read on, if there is anything to read. Errors: Unavailable: there was, and it is gone.
Result<> ApiLogStream::plan(RunState state) {
  if (state == RunState::PodGone) {
    coming_end_ = kPodDeleted;
  } else if (state == RunState::Forgotten && !previous_) {
    if (last_end_ == BodyEnd::Cut) return loglines::lines_lost();
    finish();
  } else if (follow_ && !previous_) {
    reading_ = is_over(state) ? Reading::Once : resume_.next_reading();
  }
  return {};
}

/// Asks for the rest of the run's log.
net::Task<Result<>> ApiLogStream::request(RunState state) {
  const std::shared_ptr<const PodRecord> pod = pod_->current();
  if (pod == nullptr) co_return fail(ErrorCode::NotFound, "the pod was deleted");
  const bool is_previous = previous_ || state == RunState::Replaced;
  const std::string query = resume_.begin_body(reading_) + (is_previous ? "&previous=true" : "");
  ApiRequest request = log_request(*pod, container_, query, as_);
  asked_at_ = state;
  Result<std::unique_ptr<ApiStream>> opened = co_await services_.client.stream(std::move(request));
  if (!opened) {
    const Error refusal = co_await judge_refusal(services_.client, opened.error());
    co_return fail(refusal);
  }
  stream_ = *std::move(opened);
  refused_.end();
  denied_.end();
  co_return Result<>{};
}

/// A resumption failed. Errors: those that trying again won't mend.
Result<> ApiLogStream::refused(const Error& error) {
  pauses_ = true;
  if (error.code == ErrorCode::Cancelled) return fail(error);
  const MonotonicTime now = services_.timers.now();
  if (error.code == ErrorCode::PermissionDenied) {
    if (denied_.go_on(now) >= ApiClient::kDenialPatience) return fail(error);
    return {};
  }
  denied_.end();
  const bool is_gone =
      error.code == ErrorCode::NotFound || error.code == ErrorCode::InvalidArgument;
  const nanoseconds refused_for = refused_.go_on(now);
  const bool may_be_back = may_be_starting(error, *pod_) && refused_for < kNodeStart;
  if (is_gone && !may_be_back && follow_ && reading_ == Reading::Once) {
    // The node has removed the ended container, or its pod.
    if (last_end_ == BodyEnd::Cut) return loglines::lines_lost();
    finish();
    return {};
  }
  if (refused_for < kMaxLogOutage) return {};
  return fail(ErrorCode::Unavailable, error.message);
}

/// Nothing more comes.
void ApiLogStream::finish() {
  coming_end_ = end_of_log(follow_, previous_, pod_->current().get(), container_);
}

void ApiLogStream::drop_body() {
  stream_.reset();
  buffer_ = {};
  offset_ = 0;
  ready_ = 0;
}

}  // namespace sluice::backend::kubernetes
