#include "cli/logs/log_follower.h"

#include <array>

#include <fmt/format.h>

#include "cli/cluster/api_path.h"
#include "cli/terminal/console.h"

namespace sluice::cli {
namespace {

std::optional<WallTime> since_of(const LogsOptions& options, WallTime now) {
  if (options.since) return now - *options.since;
  return options.since_time;
}

/// The pod that requests without a pod mean now, and its default container.
TargetOptions default_target(const json::value& body, TargetOptions target) {
  const json::object* object = body.if_object();
  const json::array* pods = object != nullptr ? json::find_array(*object, "pods") : nullptr;
  const json::object* first =
      pods != nullptr && !pods->empty() ? pods->front().if_object() : nullptr;
  if (first != nullptr) target.pod = json::find_string(*first, "name").value_or("");
  return target;
}

constexpr std::string_view kPodDeleted = "pod deleted";

}  // namespace

bool is_pod_deleted(const Error& error) {
  return error.code == ErrorCode::Conflict && error.message == kPodDeleted;
}

LogFollower::LogFollower(Context& context, workload::WorkloadRef workload,
                         const LogsOptions& options, Output& output, std::string_view subject)
    : context_(context),
      workload_(std::move(workload)),
      target_(options.target),
      output_(output),
      subject_(subject.empty() ? "" : fmt::format("{}: ", subject)),
      resume_({since_of(options, context.timers.wall_now()), options.tail_lines}),
      reader_({.format = loglines::Format::Stamped,
               .timestamps =
                   options.timestamps ? loglines::Timestamps::Keep : loglines::Timestamps::Strip,
               .since = since_of(options, context.timers.wall_now()),  // requests: whole seconds
               .limit_bytes = options.limit_bytes}),
      backoff_(kReconnecting) {}

net::Task<Result<>> LogFollower::run() {
  CO_TRY_VOID(co_await pin_target());
  while (true) {
    Result<Outcome> outcome = co_await read_body();
    const bool may_pass = !outcome && !lost_.empty() && is_passing(outcome.error());
    if (!outcome && !may_pass) co_return fail(outcome.error());
    if (outcome && *outcome == Outcome::Ended) co_return Result<>{};
    if (outcome && *outcome == Outcome::AskAgain) continue;
    if (outcome) note(fmt::format("{}{}; connecting again", subject_, lost_));
    const nanoseconds pause = backoff_.next(context_.random);
    CO_TRY_VOID(co_await context_.timers.sleep_for(pause));
  }
}

/// After a cut the default may be another pod. A server that can't say which it is now has to be
/// taken as it is.
net::Task<Result<>> LogFollower::pin_target() {
  if (!target_.pod.empty()) co_return Result<>{};
  const Result<json::value> pods = co_await context_.api.get_json(path_of(workload_, "pods"));
  if (pods) target_ = default_target(*pods, target_);
  if (!pods && pods.error().code == ErrorCode::Cancelled) co_return fail(pods.error());
  co_return Result<>{};
}

std::string LogFollower::path(std::string_view resume_query) const {
  Query query;
  query.add("pod", target_.pod).add("container", target_.container);
  std::string path = query.on(path_of(workload_, "logs"));
  path += path.contains('?') ? '&' : '?';
  path += resume_query;
  return path;
}

net::Task<Result<LogFollower::Outcome>> LogFollower::read_body() {
  const Resume::Reading reading = resume_.next_reading();
  const std::string where = path(resume_.begin_body(reading));
  buffer_.clear();
  CO_TRY(WebSocket opened, co_await context_.api.open_websocket(where, kRaw));
  if (!lost_.empty()) note(fmt::format("{}connected again", subject_));
  lost_.clear();
  ServerSocket socket(context_.executor, context_.timers, std::move(opened.connection));
  const Result<Outcome> outcome = co_await receive(socket, reading);
  co_await socket.end();
  co_return outcome;
}

net::Task<Result<LogFollower::Outcome>> LogFollower::receive(ServerSocket& socket,
                                                             Resume::Reading reading) {
  while (!reader_.limit_reached()) {
    CO_TRY(const ws::Received received, co_await socket.receive());
    if (const auto* close = std::get_if<ws::Close>(&received)) co_return end_body(*close, reading);
    const std::string_view text = as_text(std::get<ws::MessagePiece>(received).payload);
    buffer_.insert(buffer_.end(), text.begin(), text.end());
    CO_TRY_VOID(examine());
    CO_TRY_VOID(co_await output_.wait());
    backoff_.reset();
  }
  co_return Outcome::Ended;
}

Result<LogFollower::Outcome> LogFollower::end_body(const ws::Close& close,
                                                   Resume::Reading reading) {
  switch (close.code) {
    case ws::CloseCode::Normal: {
      TRY(const Resume::Taken rest,
          resume_.end_body(Resume::BodyEnd::Orderly, {buffer_.data(), buffer_.size()}));
      if (reading == Resume::Reading::Anchor) return Outcome::AskAgain;
      hand_on(std::span(buffer_).subspan(rest.skip, rest.take), true);
      return Outcome::Ended;
    }
    case ws::CloseCode::PolicyViolation:
      if (!context_.credentials.can_change()) return fail(ErrorCode::Unauthenticated, close.reason);
      break;
    case ws::CloseCode::InternalError: return fail(ErrorCode::Internal, close.reason);
    case ws::CloseCode::GoingAway:
      if (close.reason == kPodDeleted) return fail(ErrorCode::Conflict, close.reason);
      break;
    default: break;
  }
  // What is left is the beginning of a line, which comes again.
  (void)resume_.end_body(Resume::BodyEnd::Cut, {buffer_.data(), buffer_.size()});
  lost_ = close.reason.empty() ? "the connection was lost" : close.reason;
  return Outcome::Cut;
}

/// Hands on what is new and whole.
Result<> LogFollower::examine() {
  std::size_t offset = 0;
  Result<> result;
  while (offset < buffer_.size()) {
    const auto taken = resume_.take({buffer_.data() + offset, buffer_.size() - offset});
    if (!taken) result = fail(taken.error());
    if (!taken || taken->size() == 0) break;
    hand_on(std::span(buffer_).subspan(offset + taken->skip, taken->take), false);
    offset += taken->size();
  }
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(offset));
  return result;
}

/// `text` is whole lines, or what may be consumed of a long one.
void LogFollower::hand_on(std::span<char> text, bool is_last) {
  std::array<loglines::Piece, 64> pieces;
  while (!reader_.limit_reached()) {
    const loglines::Reader::Progress progress =
        is_last ? reader_.finish(text, pieces) : reader_.feed(text, pieces);
    for (std::size_t i = 0; i < progress.pieces; ++i) output_.append(as_bytes(pieces[i].text));
    text = text.subspan(progress.consumed);
    if (progress.pieces == 0 && progress.consumed == 0) return;
  }
}

}  // namespace sluice::cli
