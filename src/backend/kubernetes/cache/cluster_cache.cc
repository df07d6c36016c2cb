#include "backend/kubernetes/cache/cluster_cache.h"

#include <algorithm>

#include "observe/log.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr const char* kNamespaces = "namespaces";
constexpr const char* kPods = "pods";

}  // namespace

/// What all sinks share: which objects are there, so that a new list shows which are gone.
class ClusterCache::Sink : public ObjectSink {
 public:
  Sink(ClusterCache& cache, std::string resource, Presence presence)
      : cache_(cache), resource_(std::move(resource)), presence_(presence) {
    report(WatchState::Starting, "its first list is under way");
  }

  void begin_list() final { ++list_; }

  void end_list() final {
    for (auto entry = known_.begin(); entry != known_.end();) {
      entry = entry->second.list == list_ ? std::next(entry) : forget(entry);
    }
    cache_.changed_.notify();
  }

  void upsert(const json::object& object) final {
    ObjectMeta meta = read_meta(object);
    Place place{std::move(meta.namespace_name), std::move(meta.name)};
    // One of the same name made anew: the one before is gone, whether or not that was told.
    const auto before = known_.find(place);
    if (before != known_.end() && before->second.uid != meta.uid) forget(before);
    const auto [entry, added] = known_.insert_or_assign(std::move(place), Known{meta.uid, list_});
    put(entry->first, meta.uid, object);
    cache_.changed_.notify();
  }

  void remove(const json::object& object) final {
    ObjectMeta meta = read_meta(object);
    const auto entry = known_.find({std::move(meta.namespace_name), std::move(meta.name)});
    if (entry != known_.end() && entry->second.uid == meta.uid) forget(entry);
    cache_.changed_.notify();
  }

  void report(WatchState state, std::string message) final {
    if (state == WatchState::Missing && presence_ == Presence::Always) state = WatchState::Failing;
    if (state == WatchState::Missing) {
      while (!known_.empty()) forget(known_.begin());
      if (presence_ == Presence::Optional) state = WatchState::Absent;
    }
    cache_.builder_.report(resource_, state, std::move(message));
    cache_.changed_.notify();
  }

 protected:
  struct Place {
    std::string namespace_name;
    std::string name;
    auto operator<=>(const Place&) const = default;
  };
  virtual void put(const Place& place, const std::string& uid, const json::object& object) = 0;
  virtual void erase(const Place& place, const std::string& uid) = 0;

  ClusterCache& cache_;

 private:
  struct Known {
    std::string uid;
    std::uint64_t list;  // the last one that named it, or during which it was made
  };
  using Entry = std::map<Place, Known>::iterator;

  /// Returns the next one.
  Entry forget(Entry entry) {
    erase(entry->first, entry->second.uid);
    return known_.erase(entry);
  }

  std::string resource_;
  Presence presence_;
  std::uint64_t list_ = 0;
  std::map<Place, Known> known_;
};

class ClusterCache::NamespaceSink final : public Sink {
 public:
  using Sink::Sink;

 private:
  void put(const Place& place, const std::string&, const json::object& object) override {
    const std::string& label = cache_.mapping_.namespaces.label;
    cache_.builder_.put_namespace(place.name, label.empty() ? "" : read_label(object, label));
  }
  void erase(const Place& place, const std::string&) override {
    cache_.builder_.remove_namespace(place.name);
  }
};

class ClusterCache::PodSink final : public Sink {
 public:
  using Sink::Sink;

 private:
  void put(const Place&, const std::string& uid, const json::object& object) override {
    auto pod = std::make_shared<const PodRecord>(read_pod(object, cache_.pod_labels_));
    cache_.builder_.put_pod(pod);
    cache_.watches_.publish(uid, pod);
  }
  void erase(const Place& place, const std::string& uid) override {
    cache_.builder_.remove_pod(place.namespace_name, place.name);
    cache_.watches_.publish(uid, nullptr);
  }
};

/// Of a workload's kind. It may itself stand between another workload and that one's pods.
class ClusterCache::WorkloadSink final : public Sink {
 public:
  WorkloadSink(ClusterCache& cache, GroupKind kind, Presence presence)
      : Sink(cache, to_string(kind), presence), kind_(std::move(kind)) {}

 private:
  void put(const Place& place, const std::string& uid, const json::object& object) override {
    auto record = std::make_shared<WorkloadRecord>(read_workload(object, kind_, cache_.mapping_));
    if (record->rows.empty()) {
      cache_.builder_.remove_workload(place.namespace_name, uid);
    } else {
      cache_.builder_.put_workload(place.namespace_name, std::move(record));
    }
    cache_.builder_.put_owners(place.namespace_name, uid, read_owners(object));
  }
  void erase(const Place& place, const std::string& uid) override {
    cache_.builder_.remove_workload(place.namespace_name, uid);
    cache_.builder_.put_owners(place.namespace_name, uid, {});
  }

  GroupKind kind_;
};

class ClusterCache::OwnerSink final : public Sink {
 public:
  using Sink::Sink;

 private:
  void put(const Place& place, const std::string& uid, const json::object& object) override {
    cache_.builder_.put_owners(place.namespace_name, uid, read_owners(object));
  }
  void erase(const Place& place, const std::string& uid) override {
    cache_.builder_.put_owners(place.namespace_name, uid, {});
  }
};

struct ClusterCache::Informer {
  std::unique_ptr<Sink> sink;
  std::unique_ptr<Reflector> reflector;
  bool ended = false;
};

ClusterCache::ClusterCache(ApiClient& client, const Mapping& mapping, net::Executor loop,
                           net::Timers& timers, Random& random)
    : client_(client),
      mapping_(mapping),
      loop_(loop),
      timers_(timers),
      random_(random),
      pod_labels_(mapping.pod_labels()),
      changed_(loop),
      snapshot_(std::make_shared<ClusterSnapshot>()),
      tasks_(loop) {}

ClusterCache::~ClusterCache() = default;

void ClusterCache::start() {
  watch_builtin("/api/v1/namespaces", ObjectForm::MetadataOnly,
                std::make_unique<NamespaceSink>(*this, kNamespaces, Presence::Always));
  watch_builtin("/api/v1/pods", ObjectForm::Whole,
                std::make_unique<PodSink>(*this, kPods, Presence::Always));
  tasks_.spawn("discover kinds", discover_kinds());
  tasks_.spawn("publish", publish_changes());
}

net::Task<> ClusterCache::stop() {
  tasks_.cancel();
  co_await tasks_.join();
}

std::shared_ptr<const ClusterSnapshot> ClusterCache::snapshot() const {
  const std::scoped_lock lock(mutex_);
  return snapshot_;
}

bool ClusterCache::is_started() const {
  const std::shared_ptr<const ClusterSnapshot> known = snapshot();
  std::vector<std::string> names{kNamespaces, kPods};
  for (const GroupKind& kind : all_kinds()) names.push_back(to_string(kind));
  return std::ranges::all_of(names, [&](const std::string& name) {
    const WatchedResource* const found = known->find_resource(name);
    return found != nullptr && found->state != WatchState::Starting;
  });
}

std::unique_ptr<PodWatch> ClusterCache::watch(std::shared_ptr<const PodRecord> pod,
                                              net::Executor executor) {
  std::unique_ptr<PodWatch> watch = watches_.watch(pod, executor);
  // What came between the caller's snapshot and now; on the loop, in order with what comes next.
  net::post(loop_, [this, pod] {
    auto known = builder_.find_pod(pod->namespace_name, pod->name);
    if (known != nullptr && known->uid != pod->uid) known = nullptr;
    if (known != pod) watches_.publish(pod->uid, known);
  });
  return watch;
}

void ClusterCache::watch_builtin(std::string path, ObjectForm form, std::unique_ptr<Sink> sink) {
  auto informer = std::make_unique<Informer>();
  informer->reflector =
      std::make_unique<Reflector>(client_, std::move(path), form, *sink, timers_, random_);
  informer->sink = std::move(sink);
  tasks_.spawn("watch", run_for_ever(*informer));
  builtin_.push_back(std::move(informer));
}

/// Kinds that are not served are looked for again and again: a CRD may be installed at any time.
net::Task<> ClusterCache::discover_kinds() {
  Backoff backoff;
  while (true) {
    std::erase_if(informers_, [](const auto& entry) { return entry.second->ended; });
    const Result<Discovered> found = co_await discover(client_, missing_kinds());
    if (!found && found.error().code == ErrorCode::Cancelled) co_return;
    nanoseconds pause = kDiscoveryInterval;
    if (found) {
      backoff.reset();
      take(*found);
    } else {
      log(LogLevel::Warning, "kinds not discovered", found.error());
      pause = std::min(pause, backoff.next(random_));
    }
    const Result<> slept = co_await timers_.sleep_for(pause);
    if (!slept) co_return;
  }
}

/// Those that rows and owners name; each once, though it may be both.
std::set<GroupKind> ClusterCache::all_kinds() const {
  const std::vector<GroupKind> named = mapping_.kinds();
  std::set<GroupKind> kinds(named.begin(), named.end());
  kinds.insert(mapping_.owners.begin(), mapping_.owners.end());
  return kinds;
}

/// Those of them that nobody watches.
std::vector<GroupKind> ClusterCache::missing_kinds() const {
  std::set<GroupKind> kinds = all_kinds();
  std::erase_if(kinds, [this](const GroupKind& kind) { return informers_.contains(kind); });
  return {kinds.begin(), kinds.end()};
}

void ClusterCache::take(const Discovered& found) {
  for (const GroupKind& kind : missing_kinds()) {
    const std::string name = to_string(kind);
    if (const auto served = found.served.find(kind); served != found.served.end()) {
      add_informer(served->second);
    } else if (const auto failed = found.failed.find(kind); failed != found.failed.end()) {
      const bool is_forbidden = failed->second.code == ErrorCode::PermissionDenied;
      builder_.report(name, is_forbidden ? WatchState::Forbidden : WatchState::Failing,
                      failed->second.message);
    } else {
      builder_.report(name, mapping_.is_optional(kind) ? WatchState::Absent : WatchState::Missing,
                      "the cluster does not serve it");
    }
  }
  changed_.notify();
}

void ClusterCache::add_informer(const ApiResource& resource) {
  const auto presence =
      mapping_.is_optional(resource.kind) ? Presence::Optional : Presence::Required;
  const std::vector<GroupKind> kinds = mapping_.kinds();
  const bool is_workload = std::ranges::find(kinds, resource.kind) != kinds.end();
  auto informer = std::make_unique<Informer>();
  if (is_workload) {
    informer->sink = std::make_unique<WorkloadSink>(*this, resource.kind, presence);
  } else {
    informer->sink = std::make_unique<OwnerSink>(*this, to_string(resource.kind), presence);
  }
  informer->reflector = std::make_unique<Reflector>(
      client_, resource.path(), is_workload ? ObjectForm::Whole : ObjectForm::MetadataOnly,
      *informer->sink, timers_, random_);
  tasks_.spawn("watch", run(*informer));
  informers_.emplace(resource.kind, std::move(informer));
}

net::Task<> ClusterCache::run(Informer& informer) {
  co_await informer.reflector->run();
  informer.ended = true;
}

/// Namespaces and pods are always served: a server that denies it is not itself.
net::Task<> ClusterCache::run_for_ever(Informer& informer) {
  while (true) {
    co_await informer.reflector->run();
    const Result<> slept = co_await timers_.sleep_for(kDiscoveryInterval);
    if (!slept) co_return;
  }
}

net::Task<> ClusterCache::publish_changes() {
  while (true) {
    const Result<> changed = co_await changed_.wait();
    if (!changed) co_return;
    publish();
    const Result<> slept = co_await timers_.sleep_for(kPublishInterval);
    if (!slept) co_return;
  }
}

void ClusterCache::publish() {
  std::shared_ptr<const ClusterSnapshot> next = builder_.publish();
  {
    const std::scoped_lock lock(mutex_);
    snapshot_.swap(next);  // the old one is destroyed after the lock, where nobody else holds it
  }
  const SnapshotBuilder::Changes changes = builder_.take_changes();
  if (changes.resources) return changes_.notify_all();
  for (const std::string& name : changes.namespaces) changes_.notify(name);
}

}  // namespace sluice::backend::kubernetes
