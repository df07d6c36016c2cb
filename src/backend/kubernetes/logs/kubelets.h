// Kubelets: the way to the log files of the cluster's nodes: for each node a client of its own, and
// which of them refused lately, so that logs are read from the API server meanwhile.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backend/kubernetes/api/api_client.h"

namespace sluice::backend::kubernetes {

/// A node whose log files can't be read, and why.
struct KubeletRefusal {
  std::string node;  // its address
  std::string reason;
};

/// Any loop.
class Kubelets {
 public:
  /// How long a node that refused is not asked again; if it denied it, ApiClient::kDenialPatience.
  static constexpr nanoseconds kRetryInterval = std::chrono::minutes(3);
  /// How many requests of a loop a node is to answer at once. Follows ask often, and each answer
  /// takes it a millisecond: more at once would only be more connections.
  static constexpr std::size_t kMaxUnanswered = 8;

  /// References outlive it.
  Kubelets(ClusterAccess& access, net::Timers& timers, Random& random);
  ~Kubelets();

  /// The client of the kubelet at an address, valid as long as this; null: it refused lately.
  ApiClient* find(const std::string& address);
  void refused(const std::string& address, const Error& error);
  void answered(const std::string& address);
  /// Those that refused and have not answered since.
  std::vector<KubeletRefusal> refusals() const;
  /// As ApiClient's, of every node.
  void close_idle_connections(const net::Executor& loop);

 private:
  struct Node;

  ClusterAccess& access_;
  net::Timers& timers_;
  Random& random_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Node>> nodes_;  // by address; as many as the cluster had
};

}  // namespace sluice::backend::kubernetes
