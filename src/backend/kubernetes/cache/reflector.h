// Reflector: keeps a sink in step with one collection of the API server, by list and watch. It
// resumes after every cut, also that of a connection that only went silent, lists again when the
// server has forgotten where we were (410), and uses streaming lists where the server has them.
// Model: kubernetes/client-go tools/cache/reflector.go.
#pragma once

#include <optional>
#include <string>

#include "backend/kubernetes/api/api_client.h"
#include "backend/kubernetes/cache/cluster_snapshot.h"
#include "backend/kubernetes/cache/outage.h"
#include "backend/kubernetes/cache/watch_decoder.h"
#include "base/backoff.h"

namespace sluice::backend::kubernetes {

/// Takes the objects of one collection, on the reflector's loop.
class ObjectSink {
 public:
  virtual ~ObjectSink() = default;

  /// What is not mentioned by upsert() until end_list() is gone.
  virtual void begin_list() = 0;
  virtual void end_list() = 0;
  virtual void upsert(const json::object& object) = 0;
  virtual void remove(const json::object& object) = 0;
  /// How well the collection is known.
  virtual void report(WatchState state, std::string message) = 0;
};

enum class ObjectForm { Whole, MetadataOnly };

class Reflector {
 public:
  /// The server sends a bookmark a minute. Where the first has come, so long a silence is a dead
  /// watch; where none has (a server that restarted, and a collection that nobody changes), only
  /// one that outlasts the time that we asked for is.
  static constexpr nanoseconds kMaxSilence = seconds(130);
  static constexpr nanoseconds kOverdue = seconds(30);

  /// `path` is that of the collection. References outlive it.
  Reflector(ApiClient& client, std::string path, ObjectForm form, ObjectSink& sink,
            net::Timers& timers, Random& random);

  /// Runs until it is cancelled, or until the server no longer serves the collection: then
  /// Missing was reported.
  net::Task<> run();

 private:
  /// Where a list goes on, and the version that it shows.
  struct Page {
    std::string continuation;  // empty: it was the last one
    std::string version;
  };

  net::Task<Result<>> list_and_watch();
  net::Task<Result<>> list();
  net::Task<Result<Page>> list_page(std::string continuation);
  net::Task<Result<>> watch(std::string from);
  net::Task<Result<>> read_events(ApiStream& stream, MonotonicTime overdue);
  net::Task<Result<Bytes>> read_bytes(ApiStream& stream, MonotonicTime overdue);
  Result<> apply(const WatchEvent& event);
  void caught_up();
  void failed(const Error& error);
  bool may_list_at_once(const Error& error);

  ApiRequest request(std::string query, std::string_view list_suffix) const;
  seconds choose_duration();

  ApiClient& client_;
  std::string path_;
  ObjectForm form_;
  ObjectSink& sink_;
  net::Timers& timers_;
  Random& random_;
  Backoff backoff_;
  bool streams_lists_ = true;                    // until the server says otherwise
  bool listing_ = false;                         // a streamed list is under way
  bool sees_bookmarks_ = false;                  // of this watch: then it is never silent for long
  std::string version_;                          // where to resume; empty: list first
  int failures_ = 0;                             // since it was caught up
  Outage denied_;                                // the permission, since it was caught up
  std::optional<MonotonicTime> listed_at_once_;  // the last time, without a pause before it
};

}  // namespace sluice::backend::kubernetes
