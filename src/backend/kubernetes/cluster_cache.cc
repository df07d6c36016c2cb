#include "backend/kubernetes/cluster_cache.h"

#include <algorithm>

#include "backend/kubernetes/reflector.h"
#include "observe/log.h"

namespace sluice::backend::kubernetes {

/// What all sinks share: which objects are there, so that a new list shows which are gone.
class ClusterCache::Sink : public ObjectSink {
 public:
  enum class Presence { Required, Optional };

  Sink(ClusterCache& cache, std::string resource, Presence presence = Presence::Required)
      : cache_(cache), resource_(std::move(resource)), presence_(presence) {
    cache_.builder_.report(resource_, WatchState::Starting, "its first list is under way");
  }

  void begin_list() final { unseen_ = present_; }

  void end_list() final {
    for (const auto& [uid, meta] : std::exchange(unseen_, {})) forget(meta);
  }

  void upsert(const json::object& object) final {
    const ObjectMeta meta = read_meta(object);
    unseen_.erase(meta.uid);
    present_.insert_or_assign(meta.uid, meta);
    put(meta, object);
  }

  void remove(const json::object& object) final { forget(read_meta(object)); }

  void publish() final { cache_.publish(); }

  void report(WatchState state, std::string message) final {
    if (state == state_ && message == message_) return;
    state_ = state;
    message_ = message;
    if (state == WatchState::Missing) {
      forget_all();
      if (presence_ == Presence::Optional) state = WatchState::Absent;
    }
    cache_.builder_.report(resource_, state, std::move(message));
    cache_.publish();
  }

 protected:
  virtual void put(const ObjectMeta& meta, const json::object& object) = 0;
  virtual void erase(const ObjectMeta& meta) = 0;

  ClusterCache& cache_;

 private:
  void forget(const ObjectMeta& meta) {
    if (present_.erase(meta.uid) > 0) erase(meta);
  }
  void forget_all() {
    for (const auto& [uid, meta] : std::exchange(present_, {})) erase(meta);
  }

  std::string resource_;
  Presence presence_;
  WatchState state_ = WatchState::Starting;
  std::string message_;
  std::map<std::string, ObjectMeta> present_;  // by uid
  std::map<std::string, ObjectMeta> unseen_;   // of those, what the list under way has not named
};

class ClusterCache::NamespaceSink final : public Sink {
 public:
  using Sink::Sink;

 private:
  void put(const ObjectMeta& meta, const json::object& object) override {
    const std::string& label = cache_.mapping_.namespaces.label;
    cache_.builder_.put_namespace(meta.name, label.empty() ? "" : read_label(object, label));
  }
  void erase(const ObjectMeta& meta) override { cache_.builder_.remove_namespace(meta.name); }
};

class ClusterCache::PodSink final : public Sink {
 public:
  using Sink::Sink;

 private:
  void put(const ObjectMeta& meta, const json::object& object) override {
    const auto before = cache_.builder_.find_pod(meta.namespace_name, meta.name);
    auto pod = std::make_shared<const PodRecord>(read_pod(object, cache_.pod_labels_));
    cache_.builder_.put_pod(pod);
    // A pod of the same name made anew: the one before is gone, whether or not that was told.
    if (before != nullptr && before->uid != pod->uid) cache_.watches_.publish(before->uid, nullptr);
    cache_.watches_.publish(pod->uid, pod);
  }
  void erase(const ObjectMeta& meta) override {
    const auto known = cache_.builder_.find_pod(meta.namespace_name, meta.name);
    if (known != nullptr && known->uid == meta.uid) {
      cache_.builder_.remove_pod(meta.namespace_name, meta.name);
    }
    cache_.watches_.publish(meta.uid, nullptr);
  }
};

class ClusterCache::WorkloadSink final : public Sink {
 public:
  WorkloadSink(ClusterCache& cache, GroupKind kind, Presence presence)
      : Sink(cache, to_string(kind), presence), kind_(std::move(kind)) {}

 private:
  void put(const ObjectMeta& meta, const json::object& object) override {
    auto record = std::make_shared<WorkloadRecord>(read_workload(object, kind_, cache_.mapping_));
    if (record->rows.empty()) {
      erase(meta);
    } else {
      cache_.builder_.put_workload(meta.namespace_name, std::move(record));
    }
    // A workload may itself be owned by another.
    cache_.builder_.put_owners(meta.namespace_name, meta.uid, read_owners(object));
  }
  void erase(const ObjectMeta& meta) override {
    cache_.builder_.remove_workload(meta.namespace_name, meta.uid);
    cache_.builder_.remove_owners(meta.namespace_name, meta.uid);
  }

  GroupKind kind_;
};

class ClusterCache::OwnerSink final : public Sink {
 public:
  using Sink::Sink;

 private:
  void put(const ObjectMeta& meta, const json::object& object) override {
    cache_.builder_.put_owners(meta.namespace_name, meta.uid, read_owners(object));
  }
  void erase(const ObjectMeta& meta) override {
    cache_.builder_.remove_owners(meta.namespace_name, meta.uid);
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
      snapshot_(std::make_shared<ClusterSnapshot>()),
      tasks_(loop) {}

ClusterCache::~ClusterCache() = default;

void ClusterCache::start() {
  watch_builtin("namespaces", "/api/v1/namespaces",
                std::make_unique<NamespaceSink>(*this, "namespaces"));
  watch_builtin("pods", "/api/v1/pods", std::make_unique<PodSink>(*this, "pods"));
  publish();
  tasks_.spawn("discover kinds", discover_kinds());
}

net::Task<> ClusterCache::stop() {
  tasks_.cancel();
  co_await tasks_.join();
}

std::shared_ptr<const ClusterSnapshot> ClusterCache::snapshot() const {
  const std::scoped_lock lock(mutex_);
  return snapshot_;
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

void ClusterCache::watch_builtin(std::string name, std::string path, std::unique_ptr<Sink> sink) {
  const ObjectForm form = name == "namespaces" ? ObjectForm::MetadataOnly : ObjectForm::Whole;
  auto informer = std::make_unique<Informer>();
  informer->reflector =
      std::make_unique<Reflector>(client_, std::move(path), form, *sink, timers_, random_);
  informer->sink = std::move(sink);
  tasks_.spawn("watch", run(*informer));
  builtin_.push_back(std::move(informer));
}

/// Kinds that are not served are looked for again and again: a CRD may be installed at any time.
net::Task<> ClusterCache::discover_kinds() {
  std::vector<GroupKind> wanted = mapping_.kinds();
  for (const GroupKind& owner : mapping_.owners) {
    if (std::ranges::find(wanted, owner) == wanted.end()) wanted.push_back(owner);
  }
  while (true) {
    std::erase_if(informers_, [](const auto& entry) { return entry.second->ended; });
    const auto found = co_await discover(client_, wanted);
    if (found) {
      for (const GroupKind& kind : wanted) {
        const auto resource = found->find(kind);
        if (informers_.contains(kind)) continue;
        if (resource != found->end()) {
          add_informer(resource->second);
        } else {
          const bool optional = mapping_.is_optional(kind);
          builder_.report(to_string(kind), optional ? WatchState::Absent : WatchState::Missing,
                          "the cluster does not serve it");
        }
      }
      publish();
    } else if (found.error().code == ErrorCode::Cancelled) {
      co_return;
    } else {
      log(LogLevel::Warning, "kinds not discovered", found.error());
    }
    const Result<> slept = co_await timers_.sleep_for(kDiscoveryInterval);
    if (!slept) co_return;
  }
}

void ClusterCache::add_informer(const ApiResource& resource) {
  const auto presence =
      mapping_.is_optional(resource.kind) ? Sink::Presence::Optional : Sink::Presence::Required;
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
  informers_.insert_or_assign(resource.kind, std::move(informer));
}

net::Task<> ClusterCache::run(Informer& informer) {
  co_await informer.reflector->run();
  informer.ended = true;
}

void ClusterCache::publish() {
  std::shared_ptr<const ClusterSnapshot> next = builder_.publish();
  const std::scoped_lock lock(mutex_);
  snapshot_.swap(next);  // the old one is destroyed after the lock, where nobody else holds it
}

}  // namespace sluice::backend::kubernetes
