#include "backend/kubernetes/kubelet_log_stream.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "net/deadline.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr unsigned kPartialContent = 206;

/// The file was renamed, compressed, or is shorter than what was read.
bool is_elsewhere(const Error& error) {
  return error.code == ErrorCode::NotFound || error.code == ErrorCode::Conflict;
}

}  // namespace

net::Task<Result<std::unique_ptr<LogStream>>> open_kubelet_log(LogServices services,
                                                               std::unique_ptr<PodWatch> pod,
                                                               std::string container,
                                                               LogOptions options) {
  auto log =
      std::make_unique<KubeletLogStream>(services, std::move(pod), std::move(container), options);
  CO_TRY_VOID(co_await log->open());
  co_return log;
}

KubeletLogStream::KubeletLogStream(LogServices services, std::unique_ptr<PodWatch> pod,
                                   std::string container, const LogOptions& options)
    : services_(services),
      pod_(std::move(pod)),
      container_(std::move(container)),
      follow_(options.follow),
      previous_(options.previous),
      run_(container_),
      reader_(reader_options(options, loglines::Format::Cri)) {}

KubeletLogStream::~KubeletLogStream() = default;

net::Task<Result<>> KubeletLogStream::open() {
  const std::shared_ptr<const PodRecord> pod = pod_->current();
  const ContainerRecord* const record = pod ? pod->find_container(container_) : nullptr;
  const RunState state = run_state();
  if (record == nullptr || state == RunState::NotBegun) {
    co_return fail(ErrorCode::NotFound, "the container has not begun");
  }
  restart_ = record->restarts - (previous_ ? 1 : 0);
  folder_ =
      fmt::format("/logs/pods/{}_{}_{}/{}/", pod->namespace_name, pod->name, pod->uid, container_);
  CO_TRY(Files files, co_await list());
  // What is compressed isn't read.
  const auto compressed = std::ranges::find_if(files.rbegin(), files.rend(), &LogFile::compressed);
  files.erase(files.begin(), compressed.base());
  if (files.empty()) co_return fail(ErrorCode::NotFound, "the node has no log of that run");
  files_left_ = files.size();
  cursor_.emplace(files, 0);
  co_return Result<>{};
}

bool KubeletLogStream::has_news() const {
  return has_unread_ || reason_ != nullptr || reader_.limit_reached();
}

bool KubeletLogStream::run_is_over() const {
  return previous_ || (asked_at_ != RunState::NotBegun && asked_at_ != RunState::Running);
}

net::Task<Result<>> KubeletLogStream::readable() {
  while (!has_news()) {
    if (body_) {
      CO_TRY_VOID(co_await receive());
    } else {
      CO_TRY_VOID(co_await resume());
    }
  }
  co_return Result<>{};
}

/// Asks for more, when its time has come.
net::Task<Result<>> KubeletLogStream::resume() {
  if (std::exchange(is_mistaken_, false)) co_return co_await find_file(true);
  const nanoseconds pause = std::exchange(pause_, {});
  if (pause > nanoseconds{}) {
    CO_TRY_VOID(co_await sleep(pause));
  }
  co_return co_await request();
}

Result<std::span<const LogPiece>> KubeletLogStream::read() {
  const std::span<LogPiece> pieces = log_piece_scratch();
  while (!end_) {
    loglines::Reader::Progress progress;
    const std::span<char> rest(buffer_.data() + offset_, buffer_.size() - offset_);
    if (has_unread_ && !reader_.limit_reached()) {
      progress = reader_.feed(rest, pieces);
      has_unread_ = progress.pieces > 0 || progress.consumed > 0;
    } else if (has_news()) {
      progress = reader_.finish(rest, pieces);
      if (progress.pieces == 0) {
        end_reason_ = reason_ != nullptr ? reason_ : "end of logs";
        end_ = end_of_log(end_reason_);
        body_.reset();
      }
    } else {
      break;
    }
    offset_ += progress.consumed;
    if (progress.pieces > 0) return pieces.first(progress.pieces);
  }
  return std::span<const LogPiece>{};
}

/// What the kubelet has of the run now.
net::Task<Result<KubeletLogStream::Files>> KubeletLogStream::list() {
  ApiRequest request;
  request.path = folder_;
  request.accept = "*/*";
  CO_TRY(const http::Response response, co_await services_.client.request(std::move(request)));
  if (response.head.status / 100 != 2) co_return fail(error_of(response));
  co_return files_of_run(response.body, restart_);
}

/// Asks for what follows in the file.
net::Task<Result<>> KubeletLogStream::request() {
  ApiRequest request;
  request.path = folder_ + cursor_->file().name();
  request.accept = "*/*";
  const std::uint64_t begin = cursor_->wanted_begin();
  request.fields.add("Range", fmt::format("bytes={}-", begin));
  asked_at_ = run_state();
  body_has_news_ = false;
  Result<std::unique_ptr<ApiStream>> opened = co_await services_.client.stream(std::move(request));
  if (opened) {
    body_ = *std::move(opened);
    cursor_->begin_body(body_->head().status == kPartialContent ? begin : 0);
    co_return Result<>{};
  }
  const Error error = opened.error();
  if (!is_elsewhere(error)) co_return failed(error);
  // Nothing at all can be asked for of an empty file.
  if (error.code == ErrorCode::Conflict && begin == 0) co_return co_await end_file();
  co_return co_await find_file(error.code == ErrorCode::Conflict);
}

/// More of the body.
net::Task<Result<>> KubeletLogStream::receive() {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(offset_));
  offset_ = 0;
  Result<Bytes> bytes = co_await body_->read();
  if (!bytes) {
    body_.reset();
    co_return failed(bytes.error());
  }
  failing_since_.reset();
  if (bytes->empty()) co_return co_await end_body();
  if (cursor_->is_unknown()) {
    CO_TRY(const bool same, co_await is_still_there());
    if (!same) co_return Result<>{};
  }
  co_return keep(as_text(*bytes));
}

/// Whether the file that is being read under its usual name is still the one that was meant.
net::Task<Result<bool>> KubeletLogStream::is_still_there() {
  const Result<Files> files = co_await list();
  if (!files) {
    body_.reset();
    CO_TRY_VOID(failed(files.error()));
    co_return false;
  }
  const LogCursor::Found found = cursor_->find_in(*files);
  if (found == LogCursor::Found::Same) co_return true;
  body_.reset();
  if (found == LogCursor::Found::Lost) co_return log_lines_lost();
  co_return false;
}

Result<> KubeletLogStream::keep(std::string_view bytes) {
  const Result<std::size_t> skip = cursor_->take(bytes);
  if (!skip) {
    body_.reset();
    is_mistaken_ = true;
    return {};
  }
  bytes.remove_prefix(*skip);
  if (bytes.empty()) return {};
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  has_unread_ = true;
  body_has_news_ = true;
  return {};
}

net::Task<Result<>> KubeletLogStream::end_body() {
  body_.reset();
  if (!cursor_->end_body()) {
    is_mistaken_ = true;
    co_return Result<>{};
  }
  if (body_has_news_ && follow_) {
    interval_ = kBusyInterval;
    is_settled_ = false;
    if (cursor_->file().is_current()) pause_ = interval_;
    co_return Result<>{};
  }
  co_return co_await end_file();
}

/// There is nothing more in the file now: goes on to the next one, waits, or is done.
net::Task<Result<>> KubeletLogStream::end_file() {
  if (!follow_ && files_left_ == 1) {
    finish();
    co_return Result<>{};
  }
  if (cursor_->file().is_current()) {
    if (run_is_over()) {
      finish();
    } else {
      pause_ = std::exchange(interval_, std::min(2 * interval_, kIdleInterval));
    }
    co_return Result<>{};
  }
  if (follow_ && !std::exchange(is_settled_, true)) {
    pause_ = kSettling;
    co_return Result<>{};
  }
  const Result<Files> files = co_await list();
  if (!files) co_return failed(files.error());
  if (cursor_->step(*files)) {
    is_settled_ = false;
    files_left_ = std::max<std::size_t>(files_left_, 2) - 1;
  } else if (run_is_over()) {
    finish();
  } else {
    pause_ = kBusyInterval;  // the runtime has yet to make the next one
  }
  co_return Result<>{};
}

/// Looks where the file is now. `is_other`: what has its name is another one.
net::Task<Result<>> KubeletLogStream::find_file(bool is_other) {
  const Result<Files> files = co_await list();
  const bool is_gone = !files && files.error().code == ErrorCode::NotFound;
  if (!files && !is_gone) co_return failed(files.error());
  if (run_is_over() && (is_gone || files->empty())) {  // the node has removed what has ended
    finish();
    co_return Result<>{};
  }
  using enum LogCursor::Found;
  const LogCursor::Found found = is_gone ? Nowhere : cursor_->find_in(*files);
  if (found == Lost || (found == Same && is_other) || cursor_->file().compressed) {
    co_return log_lines_lost();
  }
  if (found == Moved) co_return Result<>{};
  co_return failed(Error{ErrorCode::Unavailable, "the node has no such log file", {}, {}, {}});
}

net::Task<Result<>> KubeletLogStream::sleep(nanoseconds duration) {
  const MonotonicTime until = services_.timers.now() + duration;
  const Result<> changed = co_await net::before(until, services_.timers, pod_->changed());
  if (!changed && changed.error().code == ErrorCode::Cancelled) co_return changed;
  co_return Result<>{};
}

/// The kubelet didn't answer. Errors: those that trying again won't mend.
Result<> KubeletLogStream::failed(const Error& error) {
  if (error.code == ErrorCode::Cancelled || error.code == ErrorCode::PermissionDenied) {
    return fail(error);
  }
  if (asked_at_ == RunState::PodGone) {
    finish();
    return {};
  }
  const MonotonicTime now = services_.timers.now();
  if (!failing_since_) failing_since_ = now;
  if (now - *failing_since_ >= kMaxLogOutage) return fail(ErrorCode::Unavailable, error.message);
  pause_ = std::exchange(interval_, std::min(2 * interval_, kIdleInterval));
  return {};
}

/// Nothing more comes.
void KubeletLogStream::finish() {
  reason_ = reason_of_end(follow_, previous_, pod_->current().get());
}

}  // namespace sluice::backend::kubernetes
