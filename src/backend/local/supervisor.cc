#include "backend/local/supervisor.h"

#include <sys/socket.h>

#include <array>

#include <fmt/format.h>

#include "backend/local/remote_call.h"
#include "backend/local/terminal.h"
#include "base/base64.h"
#include "base/bytes.h"
#include "net/current_executor.h"
#include "observe/log.h"

namespace sluice::backend::local {
namespace {

constexpr std::size_t kReadBytes = 256_KiB;
/// After the grace period, for SIGKILL to take effect. A process that waits for broken hardware may
/// not.
constexpr nanoseconds kKillTimeout = seconds(4);

ClusterView::Key key_of(const workload::WorkloadRef& ref) {
  return {ref.project, ref.type, ref.name};
}

}  // namespace

Supervisor::Supervisor(SupervisorConfig config, StateDirectory directory, net::EventLoop& loop,
                       ProcessHost& host, net::Timers& timers, Random& random)
    : config_(std::move(config)),
      directory_(std::move(directory)),
      loop_(loop),
      host_(host),
      timers_(timers),
      random_(random),
      scratch_(kReadBytes),
      attachments_(loop.executor()),
      workload_stops_(loop.executor()),
      stop_(loop.executor()) {}

Supervisor::~Supervisor() = default;

void Supervisor::start(WorkloadsFile file) {
  apply(std::move(file));
  publish();
}

void Supervisor::reload() {
  loop_.post([this] { reread(); });
}

net::Task<> Supervisor::stop() {
  const net::Executor executor = co_await net::current_executor();
  auto reply = std::make_shared<Reply<bool>>(executor);
  loop_.post([this, reply] { end_everything(reply); });
  (void)co_await reply->wait();
}

void Supervisor::hold_leash(const workload::ContainerRef& container, UniqueFd leash) {
  loop_.post([this, container, leash = std::move(leash)]() mutable {
    if (Container* const found = find(container)) found->hold_leash(std::move(leash));
  });
}

void Supervisor::drain_outputs(std::vector<UniqueFd> outputs) {
  loop_.post([this, outputs = std::move(outputs)]() mutable {
    if (stopping_) return;
    for (UniqueFd& output : outputs) {
      attachments_.spawn("left output", drain_output(std::move(output)));
    }
  });
}

net::Task<> Supervisor::drain_output(UniqueFd output) {
  net::Descriptor source(loop_.executor(), std::move(output));
  while (true) {
    const Result<> readable = co_await source.readable();
    if (!readable) co_return;
    if (read_output(source.fd(), scratch_) == 0) co_return;
  }
}

void Supervisor::watch_port(const workload::PodRef& pod, std::shared_ptr<PortLink> link) {
  loop_.post([this, pod, link = std::move(link)] {
    if (Pod* const found = find_pod_by_uid(pod)) return found->watch_port(link);
    ::shutdown(link->socket.get(), SHUT_RDWR);
  });
}

net::Task<Result<AttachGrant>> Supervisor::attach(workload::ContainerRef container,
                                                  StreamOptions options) {
  std::move_only_function<Result<AttachGrant>()> work = [this, container,
                                                         options]() -> Result<AttachGrant> {
    if (Container* const found = find(container)) return found->attach(options);
    return fail(ErrorCode::Conflict, fmt::format("pod \"{}\" was deleted", container.pod.name));
  };
  co_return co_await call_on<AttachGrant>(loop_, std::move(work));
}

void Supervisor::reread() {
  if (stopping_) return;
  Result<WorkloadsFile> file = read_workloads_file(config_.workloads_file);
  if (!file) {
    return log(LogLevel::Error, "workloads file not reread; nothing changes", file.error());
  }
  apply(*std::move(file));
  log(LogLevel::Info, "workloads file reread", {{"workloads", desired_.size()}});
}

void Supervisor::apply(WorkloadsFile file) {
  projects_ = {file.projects.begin(), file.projects.end()};
  desired_.clear();
  for (WorkloadSpec& spec : file.workloads) desired_.emplace(key_of(spec.ref), std::move(spec));
  std::set<Key> keys;
  for (const auto& [key, workload] : workloads_) keys.insert(key);
  for (const auto& [key, spec] : desired_) keys.insert(key);
  for (const Key& key : keys) reconcile(key);
  changed();
}

void Supervisor::reconcile(const Key& key) {
  const auto wanted = desired_.find(key);
  const auto present = workloads_.find(key);
  if (present == workloads_.end()) {
    if (wanted != desired_.end()) start_workload(key, wanted->second);
    return;
  }
  Workload& workload = present->second;
  const bool unchanged = wanted != desired_.end() && wanted->second == workload.spec;
  if (workload.terminating || unchanged) return;
  workload.terminating = true;
  for (const auto& pod : workload.pods) pod->request_stop();
  changed();
  workload_stops_.spawn("stop workload", stop_workload(key));
}

void Supervisor::start_workload(const Key& key, const WorkloadSpec& spec) {
  Workload& workload = workloads_[key];
  workload.spec = spec;
  workload.created_at = timers_.wall_now();
  const ContainerServices services{loop_.executor(), host_,    timers_,
                                   attachments_,     scratch_, config_.metrics};
  for (int index = 0; index < spec.replicas; ++index) {
    workload::PodRef ref{spec.ref.project, fmt::format("{}-0-{}", spec.ref.name, index), new_uid()};
    const std::string directory = directory_.pods() + "/" + ref.uid;
    const Pod::MakeLog make_log = [&](const ContainerSpec& container) {
      LogSettings settings;
      settings.rotate_bytes = static_cast<std::uint64_t>(container.logs.max_size_bytes);
      settings.files = static_cast<std::size_t>(container.logs.max_files);
      settings.deleted_bytes = static_cast<std::uint64_t>(container.logs.max_held_bytes);
      return ContainerLog::create(directory + "/" + container.name, timers_, settings);
    };
    workload.pods.push_back(std::make_unique<Pod>(services, std::move(ref), spec, index,
                                                  config_.environment, make_log,
                                                  [this] { changed(); }));
    workload.pods.back()->start();
  }
  changed();
}

net::Task<> Supervisor::stop_workload(Key key) {
  Workload& workload = workloads_.at(key);  // stays until the end of this task
  for (const auto& pod : workload.pods) co_await pod->stopped();
  workloads_.erase(key);
  reconcile(key);
  changed();
}

void Supervisor::end_everything(std::shared_ptr<Reply<bool>> reply) {
  stopping_ = true;
  apply({.projects = {projects_.begin(), projects_.end()}, .workloads = {}});
  stop_.spawn("stop timeout", abandon_after_timeout());
  stop_.spawn("stop", finish_stop(std::move(reply)));
}

net::Task<> Supervisor::abandon_after_timeout() {
  const nanoseconds limit = kStopGrace + kKillTimeout;
  const Result<> slept = co_await timers_.sleep_for(limit);
  if (!slept) co_return;
  for (const auto& [key, workload] : workloads_) {
    for (const auto& pod : workload.pods) pod->abandon();
  }
}

net::Task<> Supervisor::finish_stop(std::shared_ptr<Reply<bool>> reply) {
  co_await workload_stops_.join();
  attachments_.cancel();
  co_await attachments_.join();
  stop_.cancel();
  loop_.post([this, reply]() mutable { reply_when_idle(std::move(reply)); });
}

void Supervisor::reply_when_idle(std::shared_ptr<Reply<bool>> reply) {
  // The loop may end with the reply, so that nothing of ours may still be on it.
  if (stop_.size() == 0) return Reply<bool>::send(std::move(reply), true);
  loop_.post([this, reply = std::move(reply)]() mutable { reply_when_idle(std::move(reply)); });
}

std::string Supervisor::new_uid() {
  std::array<std::byte, 16> bytes;
  random_.fill(bytes);
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};  // RFC 9562 version 4
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  std::string uid = hex_encode(bytes);
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) uid.insert(dash, 1, '-');
  return uid;
}

Pod* Supervisor::find_pod_by_uid(const workload::PodRef& ref) {
  for (const auto& [key, workload] : workloads_) {
    if (std::get<0>(key) != ref.project) continue;
    for (const auto& pod : workload.pods) {
      if (pod->ref() == ref) return pod.get();
    }
  }
  return nullptr;
}

Container* Supervisor::find(const workload::ContainerRef& ref) {
  Pod* const pod = find_pod_by_uid(ref.pod);
  return pod == nullptr ? nullptr : pod->find(ref.container);
}

void Supervisor::changed() {
  if (std::exchange(publish_pending_, true)) return;
  loop_.post([this] { publish(); });
}

void Supervisor::publish() {
  publish_pending_ = false;
  auto view = std::make_shared<ClusterView>();
  view->projects = projects_;
  for (const auto& [key, workload] : workloads_) {
    WorkloadView& entry = view->workloads[key];
    entry.ref = workload.spec.ref;
    entry.terminating = workload.terminating;
    entry.created_at = workload.created_at;
    for (const auto& pod : workload.pods) entry.pods.push_back(pod->view());
  }
  published_.set(std::move(view));
  changes_.notify_all();
}

}  // namespace sluice::backend::local
