// LogSources: where a container's log is read from: its node's files, as long as that is wanted and
// the node lets us, else the API server.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "backend/kubernetes/api/access_review_authorizer.h"
#include "backend/kubernetes/cache/pod_watch.h"
#include "backend/kubernetes/logs/kubelet_log_start.h"
#include "backend/kubernetes/logs/kubelets.h"
#include "backend/options.h"
#include "backend/streams.h"

namespace sluice::backend::kubernetes {

/// Where logs are read from.
enum class LogSource {
  Api,           // the API server's pods/log
  KubeletFiles,  // the kubelets' log files; the API server where a kubelet refuses
};

/// Any loop.
class LogSources {
 public:
  /// References outlive it, and the streams.
  LogSources(LogSource source, ActingAs acting_as, ApiClient& client, Kubelets& kubelets,
             AccessReviewAuthorizer& authorizer, net::Timers& timers, Random& random);

  /// On the calling loop, `pod` too. Errors: NotFound (no such container, no previous run),
  /// Conflict (the node has no log of it, or a damaged one), PermissionDenied, Unavailable,
  /// Cancelled.
  net::Task<Result<std::unique_ptr<LogStream>>> open(const auth::Caller& caller,
                                                     std::unique_ptr<PodWatch> pod,
                                                     std::string container, LogOptions options);

 private:
  /// A log that can be read from files, and the kubelet that has them.
  struct Files {
    ApiClient& kubelet;
    KubeletLogStart start;
  };
  net::Task<Result<std::unique_ptr<LogStream>>> open_files_or_api(const auth::Caller& caller,
                                                                  std::unique_ptr<PodWatch> pod,
                                                                  std::string container,
                                                                  LogOptions options);
  net::Task<Result<std::optional<Files>>> find_files(std::shared_ptr<const PodRecord> pod,
                                                     std::string container, LogOptions options);

  const LogSource source_;
  const ActingAs acting_as_;
  ApiClient& client_;
  Kubelets& kubelets_;
  AccessReviewAuthorizer& authorizer_;
  net::Timers& timers_;
  Random& random_;
};

}  // namespace sluice::backend::kubernetes
