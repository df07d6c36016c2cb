#include "backend/kubernetes/cache/reflector.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "backend/kubernetes/api/readiness.h"
#include "base/text.h"
#include "net/deadline.h"
#include "observe/log.h"

namespace sluice::backend::kubernetes {
namespace {

/// Of objects: so many of the largest that there usually are fit in ApiClient::kMaxBodyBytes.
constexpr int kPageSize = 250;
/// The server ends a watch after 300 to 600 s, as client-go asks.
constexpr std::int64_t kMinWatchSeconds = 300;
/// A watch that ends sooner without an event is no watch: asking again at once would be a storm.
constexpr nanoseconds kShortest = seconds(1);
/// One that lasted so long shows that all is well between us and the server.
constexpr nanoseconds kLasting = seconds(10);
/// A server that forgets more often than this is given pauses, as one that fails.
constexpr nanoseconds kListInterval = seconds(10);
/// After an outage that all see, everyone is back soon.
constexpr BackoffOptions kRetry{.cap = seconds(10)};

bool ends_initial_events(const json::object& object) {
  const json::object* meta = json::find_object(object, "metadata");
  const json::object* annotations =
      meta != nullptr ? json::find_object(*meta, "annotations") : nullptr;
  return annotations != nullptr &&
         json::find_string(*annotations, "k8s.io/initial-events-end") == "true";
}

/// An ERROR event: 410 means "list again", anything else that this watch has broken.
Error error_of_event(const json::object& status) {
  constexpr std::int64_t kGone = 410;
  const bool gone = json::find_int64(status, "code") == kGone;
  Error error;
  error.code = gone ? ErrorCode::Conflict : ErrorCode::Unavailable;
  error.message = "the watch broke: ";
  error.message += json::find_string(status, "message").value_or("no message");
  return error;
}

}  // namespace

Reflector::Reflector(ApiClient& client, std::string path, ObjectForm form, ObjectSink& sink,
                     net::Timers& timers, Random& random)
    : client_(client),
      path_(std::move(path)),
      form_(form),
      sink_(sink),
      timers_(timers),
      random_(random),
      backoff_(kRetry) {}

net::Task<> Reflector::run() {
  while (true) {
    const Result<> ended = co_await list_and_watch();
    if (ended) continue;
    const Error error = co_await judge_refusal(client_, ended.error());
    if (error.code == ErrorCode::Cancelled) co_return;
    const bool lists_at_once = may_list_at_once(error);
    failed(error);
    if (lists_at_once) continue;
    if (error.code == ErrorCode::NotFound) co_return;
    const nanoseconds pause = backoff_.next(random_);
    const Result<> slept = co_await timers_.sleep_for(pause);
    if (!slept) co_return;
  }
}

void Reflector::caught_up() {
  failures_ = 0;
  denied_.end();
  sink_.report(WatchState::Current, {});
}

/// A server that has forgotten the version (410) is well: every watch meets one after its restart.
bool Reflector::may_list_at_once(const Error& error) {
  if (error.code != ErrorCode::Conflict || version_.empty()) return false;
  const MonotonicTime now = timers_.now();
  if (listed_at_once_ && now - *listed_at_once_ < kListInterval) return false;
  listed_at_once_ = now;
  return true;
}

void Reflector::failed(const Error& error) {
  log(LogLevel::Info, "watch interrupted", error, {{"path", path_}});
  switch (error.code) {
    case ErrorCode::NotFound:
      version_.clear();
      sink_.report(WatchState::Missing, "the cluster does not serve it");
      return;
    case ErrorCode::Conflict:         // the server has forgotten the version
    case ErrorCode::InvalidArgument:  // or never knew it: it is another server
      version_.clear();
      break;
    default: break;
  }
  const MonotonicTime now = timers_.now();
  if (error.code == ErrorCode::PermissionDenied) denied_.go_on(now);
  const bool is_forbidden = denied_.lasted(now) >= ApiClient::kDenialPatience;
  // One cut is nothing to tell anybody: the next try mends it.
  if (++failures_ <= 1) return;
  sink_.report(is_forbidden ? WatchState::Forbidden : WatchState::Failing, error.message);
}

net::Task<Result<>> Reflector::list_and_watch() {
  if (version_.empty() && streams_lists_) {
    std::string streaming = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
    Result<> streamed = co_await watch(std::move(streaming));
    const bool refused = !streamed && streamed.error().code == ErrorCode::InvalidArgument;
    const bool ignored = streamed && listing_;  // it ended, and the list never did
    if (!refused && !ignored) co_return streamed;
    streams_lists_ = false;  // a server before 1.32, or one that has it off
  }
  if (version_.empty()) CO_TRY_VOID(co_await list());
  std::string from = "resourceVersion=" + percent_encode(version_);
  co_return co_await watch(std::move(from));
}

net::Task<Result<>> Reflector::list() {
  sink_.begin_list();
  Page page;
  do {
    CO_TRY(page, co_await list_page(std::move(page.continuation)));
  } while (!page.continuation.empty());
  sink_.end_list();
  version_ = std::move(page.version);  // not before the end: half a list is nothing to go on from
  caught_up();
  co_return Result<>{};
}

net::Task<Result<Reflector::Page>> Reflector::list_page(std::string continuation) {
  std::string query = fmt::format("limit={}", kPageSize);
  if (!continuation.empty()) query += "&continue=" + percent_encode(continuation);
  ApiRequest asked = request(std::move(query), "List");
  CO_TRY(const json::value document, co_await client_.get_json(std::move(asked)));
  const json::object* list = document.if_object();
  const json::value* items = list != nullptr ? json::find(*list, "items") : nullptr;
  if (items == nullptr || read_resource_version(*list).empty()) {
    co_return fail(ErrorCode::Unavailable, "the API server's list is none");
  }
  // An empty list of metadata has null for items.
  if (const json::array* objects = items->if_array()) {
    for (const json::value& item : *objects) {
      if (const json::object* object = item.if_object()) sink_.upsert(*object);
    }
  }
  Page page{.continuation = {}, .version = read_resource_version(*list)};
  if (const json::object* meta = json::find_object(*list, "metadata")) {
    page.continuation = json::find_string(*meta, "continue").value_or("");
  }
  co_return page;
}

/// Not the same for all, so that they don't come back at once.
seconds Reflector::choose_duration() {
  std::array<std::byte, sizeof(std::uint32_t)> bytes;
  random_.fill(bytes);
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return seconds(kMinWatchSeconds + number % kMinWatchSeconds);
}

ApiRequest Reflector::request(std::string query, std::string_view list_suffix) const {
  ApiRequest request;
  request.path = path_;
  request.query = std::move(query);
  if (form_ == ObjectForm::MetadataOnly) {
    request.accept = fmt::format(
        "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1,application/json",
        list_suffix);
  }
  return request;
}

net::Task<Result<>> Reflector::watch(std::string from) {
  const seconds duration = choose_duration();
  std::string query = fmt::format("watch=true&allowWatchBookmarks=true&timeoutSeconds={}&{}",
                                  duration.count(), from);
  ApiRequest asked = request(std::move(query), {});
  CO_TRY(const std::unique_ptr<ApiStream> stream, co_await client_.stream(std::move(asked)));
  listing_ = version_.empty();
  if (listing_) {
    sink_.begin_list();
  } else {
    caught_up();
  }
  const std::string resumed_from = version_;
  const MonotonicTime begin = timers_.now();
  Result<> ended = co_await read_events(*stream, begin + duration + kOverdue);
  if (!listing_ && timers_.now() - begin >= kLasting) backoff_.reset();
  if (ended && !listing_ && version_ == resumed_from && timers_.now() - begin < kShortest) {
    ended = fail(ErrorCode::Unavailable, "the watch ended as soon as it had begun");
  }
  // A list that was cut short says nothing: the next one begins anew.
  if (listing_) version_.clear();
  co_return ended;
}

net::Task<Result<>> Reflector::read_events(ApiStream& stream, MonotonicTime overdue) {
  WatchDecoder decoder;
  sees_bookmarks_ = false;
  while (true) {
    CO_TRY(const Bytes bytes, co_await read_bytes(stream, overdue));
    if (bytes.empty()) co_return Result<>{};
    decoder.feed(bytes);
    while (true) {
      CO_TRY(const std::optional<WatchEvent> event, decoder.next());
      if (!event) break;
      CO_TRY_VOID(apply(*event));
    }
  }
}

/// The next bytes, as long as there may yet be any. Errors: Unavailable, Cancelled.
net::Task<Result<Bytes>> Reflector::read_bytes(ApiStream& stream, MonotonicTime overdue) {
  Result<Bytes> bytes = stream.try_read();
  if (bytes && !bytes->empty()) co_return bytes;
  if (sees_bookmarks_) overdue = std::min(overdue, timers_.now() + kMaxSilence);
  net::Task<Result<Bytes>> reading = stream.read();
  bytes = co_await net::before(overdue, timers_, std::move(reading));
  if (!bytes && bytes.error().code == ErrorCode::Unavailable && timers_.now() >= overdue) {
    bytes = fail(ErrorCode::Unavailable, "the watch has gone silent");
  }
  co_return bytes;
}

Result<> Reflector::apply(const WatchEvent& event) {
  const json::object& object = event.object.get_object();
  switch (event.type) {
    case WatchEventType::Added:
    case WatchEventType::Modified: sink_.upsert(object); break;
    case WatchEventType::Deleted: sink_.remove(object); break;
    case WatchEventType::Bookmark:
      if (listing_ && ends_initial_events(object)) {
        listing_ = false;
        sink_.end_list();
        caught_up();
      } else if (!listing_) {
        sees_bookmarks_ = true;
      }
      break;
    case WatchEventType::Error: {
      Error error = error_of_event(object);
      // A server may take the request and find only then that it can't stream a list: with an etcd
      // before 3.4.25 or 3.5.8, say.
      if (listing_) error.code = ErrorCode::InvalidArgument;
      return fail(std::move(error));
    }
  }
  std::string version = read_resource_version(object);
  if (!version.empty()) version_ = std::move(version);
  backoff_.reset();
  return {};
}

}  // namespace sluice::backend::kubernetes
