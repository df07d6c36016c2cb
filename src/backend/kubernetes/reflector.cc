#include "backend/kubernetes/reflector.h"

#include <array>
#include <cstring>

#include <fmt/format.h>

#include "net/deadline.h"
#include "observe/log.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr int kPageSize = 500;
/// The server ends a watch after 300 to 600 s, as client-go asks; one that has not ended a while
/// after that is dead.
constexpr std::uint64_t kMinWatchSeconds = 300;
constexpr nanoseconds kOverdue = seconds(630);

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
      random_(random) {}

net::Task<> Reflector::run() {
  int failures = 0;  // in a row: one cut is nothing to tell anybody
  while (true) {
    const Result<> ended = co_await list_and_watch();
    if (ended) {
      failures = 0;
      backoff_.reset();
      continue;
    }
    const Error& error = ended.error();
    if (error.code == ErrorCode::Cancelled) co_return;
    if (error.code == ErrorCode::NotFound) {
      sink_.report(WatchState::Missing, "the cluster does not serve it");
      co_return;
    }
    if (error.code == ErrorCode::Conflict) version_.clear();  // what was known there is forgotten
    log(LogLevel::Info, "watch interrupted", error);
    if (++failures > 1) sink_.report(WatchState::Failing, error.message);
    const Result<> slept = co_await timers_.sleep_for(backoff_.next(random_));
    if (!slept) co_return;
  }
}

net::Task<Result<>> Reflector::list_and_watch() {
  if (version_.empty() && streams_lists_) {
    Result<> streamed =
        co_await watch(watch_query("sendInitialEvents=true&resourceVersionMatch=NotOlderThan"));
    const bool refused = !streamed && streamed.error().code == ErrorCode::InvalidArgument;
    if (!refused) co_return streamed;
    streams_lists_ = false;  // a server before 1.32, or one that has it off
  }
  if (version_.empty()) CO_TRY_VOID(co_await list());
  std::string query = watch_query("resourceVersion=" + version_);
  co_return co_await watch(std::move(query));
}

net::Task<Result<>> Reflector::list() {
  sink_.begin_list();
  std::string continuation;
  do {
    CO_TRY(continuation, co_await list_page(std::move(continuation)));
  } while (!continuation.empty());
  sink_.end_list();
  sink_.publish();
  sink_.report(WatchState::Current, {});
  co_return Result<>{};
}

/// Returns where the next page begins; empty: there is none.
net::Task<Result<std::string>> Reflector::list_page(std::string continuation) {
  std::string query = fmt::format("limit={}", kPageSize);
  if (!continuation.empty()) query += "&continue=" + continuation;
  ApiRequest page = request(std::move(query), "List");
  CO_TRY(const json::value document, co_await client_.get_json(std::move(page)));
  const json::object* list = document.if_object();
  const json::value* items = list != nullptr ? json::find(*list, "items") : nullptr;
  if (items == nullptr) co_return fail(ErrorCode::Unavailable, "a list without items");
  // An empty list of metadata has null for items.
  if (const json::array* objects = items->if_array()) {
    for (const json::value& item : *objects) {
      if (const json::object* object = item.if_object()) sink_.upsert(*object);
    }
  }
  version_ = read_meta(*list).resource_version;
  const json::object* meta = json::find_object(*list, "metadata");
  co_return std::string(meta != nullptr ? json::find_string(*meta, "continue").value_or("") : "");
}

std::string Reflector::watch_query(std::string_view from) {
  std::array<std::byte, sizeof(std::uint64_t)> bytes;
  random_.fill(bytes);
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return fmt::format("watch=true&allowWatchBookmarks=true&timeoutSeconds={}&{}",
                     kMinWatchSeconds + number % kMinWatchSeconds, from);
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

net::Task<Result<>> Reflector::watch(std::string query) {
  CO_TRY(const std::unique_ptr<ApiStream> stream,
         co_await client_.stream(request(std::move(query), {})));
  listing_ = version_.empty();
  if (listing_) {
    sink_.begin_list();
  } else {
    sink_.report(WatchState::Current, {});
  }
  Result<> ended = co_await net::before(timers_.now() + kOverdue, timers_, read_events(*stream));
  // A list that was cut short says nothing: the next one begins anew.
  if (listing_) version_.clear();
  co_return ended;
}

net::Task<Result<>> Reflector::read_events(ApiStream& stream) {
  WatchDecoder decoder;
  while (true) {
    CO_TRY(const Bytes bytes, co_await stream.read());
    if (bytes.empty()) co_return Result<>{};
    decoder.feed(bytes);
    bool changed = false;
    while (true) {
      CO_TRY(const std::optional<WatchEvent> event, decoder.next());
      if (!event) break;
      CO_TRY_VOID(apply(*event));
      changed = true;
    }
    if (changed && !listing_) sink_.publish();
  }
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
        sink_.report(WatchState::Current, {});
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
  std::string version = read_meta(object).resource_version;
  if (!version.empty()) version_ = std::move(version);
  return {};
}

}  // namespace sluice::backend::kubernetes
