#include "backend/kubernetes/logs/kubelets.h"

#include "observe/log.h"

namespace sluice::backend::kubernetes {
namespace {

/// One node, reached with the credentials that the cluster knows us by.
class NodeAccess final : public ClusterAccess {
 public:
  NodeAccess(ClusterAccess& cluster, std::string address)
      : cluster_(cluster), address_(std::move(address)) {}

  net::Task<Result<ApiConnection>> connect() override { return cluster_.connect_node(address_); }
  net::Task<Result<ApiConnection>> connect_node(std::string address) override {
    return cluster_.connect_node(std::move(address));
  }
  net::Task<Result<std::optional<std::string>>> authorization() override {
    return cluster_.authorization();
  }
  void renew_credentials() override { cluster_.renew_credentials(); }

 private:
  ClusterAccess& cluster_;
  const std::string address_;
};

}  // namespace

struct Kubelets::Node {
  Node(ClusterAccess& cluster, const std::string& address, net::Timers& timers, Random& random)
      : access(cluster, address), client(access, timers, random, kMaxUnanswered) {}

  NodeAccess access;
  ApiClient client;
  MonotonicTime refused_until{};
  std::string reason;  // empty: it has answered since
};

Kubelets::Kubelets(ClusterAccess& access, net::Timers& timers, Random& random)
    : access_(access), timers_(timers), random_(random) {}

Kubelets::~Kubelets() = default;

ApiClient* Kubelets::find(const std::string& address) {
  const std::scoped_lock lock(mutex_);
  std::unique_ptr<Node>& node = nodes_[address];
  if (!node) node = std::make_unique<Node>(access_, address, timers_, random_);
  const bool refuses = !node->reason.empty() && timers_.now() < node->refused_until;
  return refuses ? nullptr : &node->client;
}

void Kubelets::refused(const std::string& address, const Error& error) {
  log(LogLevel::Warning, "a kubelet's log files can't be read: logs come from the API server",
      error);
  const std::scoped_lock lock(mutex_);
  const auto found = nodes_.find(address);
  if (found == nodes_.end()) return;
  // A kubelet asks the API server what we may; one that has just started denies it.
  const bool is_denied = error.code == ErrorCode::PermissionDenied;
  found->second->refused_until =
      timers_.now() + (is_denied ? ApiClient::kDenialPatience : kRetryInterval);
  found->second->reason =
      error.code == ErrorCode::Unavailable && !error.cause.empty() ? error.cause : error.message;
}

void Kubelets::answered(const std::string& address) {
  const std::scoped_lock lock(mutex_);
  const auto found = nodes_.find(address);
  if (found != nodes_.end()) found->second->reason.clear();
}

std::vector<KubeletRefusal> Kubelets::refusals() const {
  // A node that nobody has asked for so long may be none any more.
  const MonotonicTime oldest = timers_.now() - kRetryInterval;
  const std::scoped_lock lock(mutex_);
  std::vector<KubeletRefusal> refusals;
  for (const auto& [address, node] : nodes_) {
    if (node->reason.empty() || node->refused_until < oldest) continue;
    refusals.push_back({address, node->reason});
  }
  return refusals;
}

void Kubelets::close_idle_connections(const net::Executor& loop) {
  std::vector<ApiClient*> clients;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [address, node] : nodes_) clients.push_back(&node->client);
  }
  for (ApiClient* client : clients) client->close_idle_connections(loop);
}

}  // namespace sluice::backend::kubernetes
