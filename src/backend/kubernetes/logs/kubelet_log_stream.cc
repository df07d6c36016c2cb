#include "backend/kubernetes/logs/kubelet_log_stream.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "backend/log_reader_options.h"
#include "loglines/lines_lost.h"
#include "net/deadline.h"

namespace sluice::backend::kubernetes {
namespace {

/// What all streams of a thread read into, one at a time.
std::span<char> block_scratch() {
  thread_local const auto block = std::make_unique<std::array<char, 256_KiB>>();
  return *block;
}

/// The file was renamed, compressed, or is shorter than what was read.
bool is_elsewhere(const Error& error) {
  return error.code == ErrorCode::NotFound || error.code == ErrorCode::Conflict;
}

loglines::ReaderOptions cri_options(const LogOptions& options, const KubeletLogStart& start) {
  loglines::ReaderOptions reader = reader_options(options, loglines::Format::Cri);
  reader.skip_bytes = start.skip_bytes;
  return reader;
}

}  // namespace

KubeletLogStream::KubeletLogStream(LogServices services, std::unique_ptr<PodWatch> pod,
                                   std::string container, const LogOptions& options,
                                   KubeletLogStart start)
    : services_(services),
      pod_(std::move(pod)),
      container_(std::move(container)),
      follow_(options.follow),
      previous_(options.previous),
      run_(container_),
      restart_(start.files.front().restart),
      folder_(std::move(start.folder)),
      begins_whole_(start.index == 0 && start.offset == 0 && !options.tail_lines),
      reader_(cri_options(options, start)),
      cursor_(start.files, start.index, start.offset),
      files_left_(start.files.size() - start.index) {}

KubeletLogStream::~KubeletLogStream() = default;

bool KubeletLogStream::has_news() const {
  return has_unread_ || body_is_ready_ || coming_end_ || reader_.limit_reached();
}

bool KubeletLogStream::run_is_over() const {
  return previous_ || (asked_at_ != RunState::NotBegun && asked_at_ != RunState::Running);
}

net::Task<Result<>> KubeletLogStream::readable() {
  while (!has_news()) {
    if (!body_) {
      CO_TRY_VOID(co_await resume());
      continue;
    }
    if (body_is_over_ || body_failure_) {
      CO_TRY_VOID(co_await end_body());
      continue;
    }
    const Result<> ready = co_await body_->readable();
    if (!ready && ready.error().code == ErrorCode::Cancelled) co_return ready;
    body_is_ready_ = true;  // if the connection is lost, receiving says so
  }
  co_return Result<>{};
}

Result<std::span<const LogPiece>> KubeletLogStream::read() {
  const std::span<LogPiece> pieces = log_piece_scratch();
  while (!end_ && has_news()) {
    const bool is_final = coming_end_ && !has_unread_;
    const std::span<char> block = take_block();
    loglines::Reader::Progress progress;
    if (is_final || reader_.limit_reached()) {
      progress = reader_.finish(block, pieces);
      if (progress.pieces == 0) conclude();
    } else {
      progress = reader_.feed(block, pieces);
    }
    const std::span<char> rest = block.subspan(progress.consumed);
    rest_.assign(rest.begin(), rest.end());
    has_unread_ = !rest.empty() && progress.pieces > 0 && !is_final;
    if (progress.pieces > 0) return pieces.first(progress.pieces);
  }
  return std::span<const LogPiece>{};
}

/// What was received and not yet read, with what there is to receive now.
std::span<char> KubeletLogStream::take_block() {
  const std::span<char> block = block_scratch();
  std::ranges::copy(rest_, block.begin());
  std::size_t size = rest_.size();
  rest_ = {};
  if (body_is_ready_) size += receive(std::as_writable_bytes(block.subspan(size)));
  return block.first(size);
}

/// Returns how many new bytes there are.
std::size_t KubeletLogStream::receive(MutableBytes into) {
  if (into.empty()) return 0;
  const Result<std::optional<std::size_t>> received = body_->try_read(into);
  if (!received) body_failure_ = received.error();
  if (!received || !*received || **received == 0) {
    body_is_ready_ = false;
    body_is_over_ = received && *received;
    return 0;
  }
  failing_.end();
  const Bytes bytes = into.first(**received);
  const Result<std::size_t> skip = cursor_.take(as_text(bytes));
  if (!skip) {
    is_mistaken_ = true;
    body_is_ready_ = false;
    body_is_over_ = true;
    return 0;
  }
  const std::size_t size = bytes.size() - *skip;
  if (*skip > 0) std::memmove(into.data(), into.data() + *skip, size);
  body_has_news_ |= size > 0;
  has_received_ |= size > 0;
  return size;
}

void KubeletLogStream::conclude() {
  end_ = coming_end_.value_or(kEndOfLogs);
  body_.reset();
}

/// Asks for more, when its time has come.
net::Task<Result<>> KubeletLogStream::resume() {
  const nanoseconds pause = std::exchange(pause_, {});
  if (pause > nanoseconds{}) {
    CO_TRY_VOID(co_await sleep(pause));
  }
  co_return co_await request();
}

/// Asks for what follows in the file.
net::Task<Result<>> KubeletLogStream::request() {
  const std::uint64_t begin = cursor_.wanted_begin();
  asked_at_ = run_state();
  body_has_news_ = false;
  body_is_over_ = false;
  Result<std::unique_ptr<LogFileBody>> opened =
      co_await LogFileBody::open(services_.client, folder_, cursor_.file(), begin);
  if (opened) {
    denied_.end();
    body_ = *std::move(opened);
    cursor_.begin_body(body_->begin());
    co_return co_await check_identity();
  }
  const Error error = opened.error();
  if (!is_elsewhere(error)) co_return failed(error);
  co_return co_await find_file(error.code == ErrorCode::Conflict);
}

/// Where nothing was read before, only its name says which file this is, and what has the usual
/// name now may be another one.
net::Task<Result<>> KubeletLogStream::check_identity() {
  if (!cursor_.is_unknown()) co_return Result<>{};
  const Result<Files> files = co_await list();
  using enum LogCursor::Found;
  const LogCursor::Found found = files ? cursor_.find_in(*files) : Nowhere;
  if (found == Same) co_return Result<>{};
  body_.reset();
  if (!files) co_return failed(files.error());
  if (found == Moved) co_return Result<>{};
  co_return co_await find_file(false);
}

/// What the kubelet has of the run now.
net::Task<Result<KubeletLogStream::Files>> KubeletLogStream::list() {
  CO_TRY(const std::string listing, co_await list_log_folder(services_.client, folder_));
  co_return files_of_run(listing, restart_);
}

net::Task<Result<>> KubeletLogStream::end_body() {
  const std::unique_ptr<LogFileBody> body = std::exchange(body_, nullptr);
  if (body_failure_) {
    const Error error = *std::exchange(body_failure_, std::nullopt);
    if (error.code != ErrorCode::InvalidArgument) co_return failed(error);
    co_return fail(ErrorCode::Unavailable, damaged_log_file(cursor_.file()).message);
  }
  if (std::exchange(is_mistaken_, false) || !cursor_.end_body()) co_return co_await find_file(true);
  const bool is_current = cursor_.file().is_current();
  const bool may_grow = !cursor_.file().compressed && !body->is_quiet();
  is_doubted_ = false;
  is_settled_ = !may_grow || (is_settled_ && !body_has_news_);
  if (follow_ && is_current && body_has_news_) {
    // Sooner, but not at once: lines that come one a second are asked for about as often.
    interval_ = std::max(interval_ * 3 / 4, kBusyInterval);
    pause_ = interval_;
    co_return Result<>{};
  }
  co_return co_await end_file();
}

/// There is nothing more in the file now: goes on to the next one, waits, or is done.
net::Task<Result<>> KubeletLogStream::end_file() {
  const bool is_current = cursor_.file().is_current();
  const bool is_last = !follow_ && (is_current || files_left_ == 1);
  if (is_last || (is_current && run_is_over())) {
    finish();
    co_return Result<>{};
  }
  if (is_current) {
    slow_down();
    co_return Result<>{};
  }
  if (!std::exchange(is_settled_, true)) {
    pause_ = kSettling;
    co_return Result<>{};
  }
  const Result<Files> files = co_await list();
  if (!files) co_return failed(files.error());
  const LogCursor::Step step = cursor_.step(*files);
  if (step == LogCursor::Step::Lost) co_return lost();
  if (step == LogCursor::Step::Next) {
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
  const LogCursor::Found found = is_gone ? Nowhere : cursor_.find_in(*files);
  if (found == Lost && begins_whole_ && !has_received_ && !files->empty()) {
    cursor_ = LogCursor(*files, 0, 0);
    files_left_ = files->size();
    co_return Result<>{};
  }
  if (found == Lost || (found == Same && is_other)) co_return lost();
  if (found == Same || found == Moved) co_return Result<>{};
  const Error no_file{.code = ErrorCode::Unavailable, .message = "the node has no such log file"};
  co_return failed(no_file);
}

/// The file, or one behind it, seems to be gone. A listing may lack what is renamed while it is
/// made: so it is looked for once more.
Result<> KubeletLogStream::lost() {
  if (std::exchange(is_doubted_, true)) return loglines::lines_lost();
  pause_ = kSettling;
  return {};
}

net::Task<Result<>> KubeletLogStream::sleep(nanoseconds duration) {
  const MonotonicTime until = services_.timers.now() + duration;
  const Result<> changed = co_await net::before(until, services_.timers, pod_->changed());
  if (!changed && changed.error().code == ErrorCode::Cancelled) co_return changed;
  co_return Result<>{};
}

/// The kubelet didn't answer. Errors: those that trying again won't mend.
Result<> KubeletLogStream::failed(const Error& error) {
  if (error.code == ErrorCode::Cancelled) return fail(error);
  if (asked_at_ == RunState::PodGone) {
    finish();
    return {};
  }
  const MonotonicTime now = services_.timers.now();
  if (error.code == ErrorCode::PermissionDenied) {
    // A kubelet that has just started has yet to reach the API server, which it asks about us.
    if (denied_.go_on(now) >= ApiClient::kDenialPatience) return fail(error);
  } else {
    denied_.end();
  }
  if (failing_.go_on(now) >= kMaxLogOutage) return fail(ErrorCode::Unavailable, error.message);
  slow_down();
  return {};
}

void KubeletLogStream::slow_down() {
  interval_ = std::min(2 * interval_, kIdleInterval);
  pause_ = interval_;
}

/// Nothing more comes.
void KubeletLogStream::finish() {
  coming_end_ = end_of_log(follow_, previous_, pod_->current().get(), container_);
}

}  // namespace sluice::backend::kubernetes
