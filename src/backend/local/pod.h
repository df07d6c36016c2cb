// Pod: one replica of a workload, on the supervisor's loop: its containers and what it is as a
// whole.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/local/container.h"

namespace sluice::backend::local {

/// A forwarded connection, as the pod sees it: what it needs to end it. Owner: the
/// LocalPort, then its end.
struct PortLink {
  UniqueFd socket;  // a duplicate
};

class Pod {
 public:
  /// Makes the log of a container.
  using MakeLog = std::function<std::shared_ptr<ContainerLog>(const ContainerSpec& container)>;

  Pod(const ContainerServices& services, workload::PodRef ref, const WorkloadSpec& spec, int index,
      const std::vector<std::string>& inherited_environment, const MakeLog& make_log,
      std::function<void()> changed);

  void start();
  /// Marks it deleted and asks its containers to end.
  void request_stop();
  /// Completes when all containers have ended; then what is tied to the pod ends, too.
  net::Task<> stopped();
  /// Gives up on processes that can't be killed: stopped() completes soon.
  void abandon() { tasks_.cancel(); }

  const workload::PodRef& ref() const { return ref_; }
  std::shared_ptr<const PodView> view() const;
  /// nullptr when there is none of that name.
  Container* find(const std::string& container);
  void watch_port(std::weak_ptr<PortLink> link);

 private:
  PodPhase phase() const;
  std::string message() const;

  workload::PodRef ref_;
  WallTime created_at_;
  std::shared_ptr<std::atomic<bool>> deleted_;  // shared with views and sessions
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Container>> containers_;
  std::vector<std::shared_ptr<ContainerLog>> logs_;
  std::vector<std::weak_ptr<PortLink>> ports_;
  std::size_t prune_ports_at_ = 16;
  std::function<void()> changed_;
  net::TaskGroup tasks_;
};

}  // namespace sluice::backend::local
