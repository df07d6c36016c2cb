#include "backend/local/pod.h"

#include <sys/socket.h>

#include <algorithm>

#include <fmt/format.h>

#include "backend/local/container_environment.h"

namespace sluice::backend::local {

Pod::Pod(const ContainerServices& services, workload::PodRef ref, const WorkloadSpec& spec,
         int index, const std::vector<std::string>& inherited_environment, const MakeLog& make_log,
         std::function<void()> changed)
    : ref_(std::move(ref)),
      created_at_(services.timers.wall_now()),
      deleted_(std::make_shared<std::atomic<bool>>(false)),
      changed_(std::move(changed)),
      tasks_(services.executor) {
  for (const ContainerSpec& container : spec.containers) {
    ContainerSetting setting;
    setting.environment =
        container_environment(inherited_environment, spec.ref, ref_.name, index, container);
    setting.working_directory = container.working_directory;
    if (container.user) setting.credentials = container.user->credentials;
    names_.push_back(container.name);
    logs_.push_back(make_log(container));
    containers_.push_back(std::make_unique<Container>(
        services, ref_.name, container, std::move(setting), logs_.back(), deleted_, changed_));
  }
}

void Pod::start() {
  for (const auto& container : containers_) tasks_.spawn("container", container->run());
}

void Pod::request_stop() {
  deleted_->store(true);
  for (const auto& log : logs_)
    log->pod_deleted();  // so that followers learn it at the end of a run
  for (const auto& container : containers_) container->request_stop();
}

net::Task<> Pod::stopped() {
  co_await tasks_.join();
  for (const auto& weak : ports_) {
    if (const auto link = weak.lock()) ::shutdown(link->socket.get(), SHUT_RDWR);
  }
}

std::shared_ptr<const PodView> Pod::view() const {
  auto view = std::make_shared<PodView>();
  view->ref = ref_;
  view->phase = phase();
  view->message = message();
  view->created_at = created_at_;
  view->deleted = deleted_;
  for (const auto& container : containers_) view->containers.push_back(container->view());
  return view;
}

Container* Pod::find(const std::string& container) {
  const auto found = std::ranges::find(names_, container);
  return found == names_.end()
             ? nullptr
             : containers_[static_cast<std::size_t>(found - names_.begin())].get();
}

void Pod::watch_port(std::weak_ptr<PortLink> link) {
  if (ports_.size() >= prune_ports_at_) {
    std::erase_if(ports_, [](const auto& port) { return port.expired(); });
    prune_ports_at_ = std::max<std::size_t>(16, ports_.size() * 2);
  }
  ports_.push_back(std::move(link));
}

PodPhase Pod::phase() const {
  const auto all = [&](auto predicate) { return std::ranges::all_of(containers_, predicate); };
  const auto any = [&](auto predicate) { return std::ranges::any_of(containers_, predicate); };
  if (deleted_->load()) return PodPhase::Terminating;
  if (any([](const auto& container) { return container->failed_to_start(); }))
    return PodPhase::Failed;
  if (all([](const auto& container) { return container->state() == ContainerState::Ended; })) {
    const bool failed = any([](const auto& container) { return container->failed(); });
    return failed ? PodPhase::Failed : PodPhase::Succeeded;
  }
  if (any([](const auto& container) { return container->was_started(); })) return PodPhase::Running;
  return PodPhase::Pending;
}

std::string Pod::message() const {
  for (const auto& container : containers_) {
    if (container->message().empty()) continue;
    return fmt::format("container {}: {}", container->name(), container->message());
  }
  return {};
}

}  // namespace sluice::backend::local
