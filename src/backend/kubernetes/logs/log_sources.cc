#include "backend/kubernetes/logs/log_sources.h"

#include "backend/kubernetes/logs/api_log_stream.h"
#include "backend/kubernetes/logs/kubelet_log_stream.h"
#include "backend/kubernetes/logs/pending_log_stream.h"

namespace sluice::backend::kubernetes {
namespace {

bool has_begun(const PodRecord& pod, const std::string& container) {
  return ContainerRun(container).state(&pod) != RunState::NotBegun;
}

}  // namespace

LogSources::LogSources(LogSource source, ActingAs acting_as, ApiClient& client, Kubelets& kubelets,
                       AccessReviewAuthorizer& authorizer, net::Timers& timers, Random& random)
    : source_(source),
      acting_as_(acting_as),
      client_(client),
      kubelets_(kubelets),
      authorizer_(authorizer),
      timers_(timers),
      random_(random) {}

net::Task<Result<std::unique_ptr<LogStream>>> LogSources::open(const auth::Caller& caller,
                                                               std::unique_ptr<PodWatch> pod,
                                                               std::string container,
                                                               LogOptions options) {
  const std::shared_ptr<const PodRecord> record = pod->current();
  const bool exists = record != nullptr && record->find_container(container) != nullptr;
  if (source_ == LogSource::Api || !exists) {
    co_return co_await open_files_or_api(caller, std::move(pod), std::move(container), options);
  }
  // The API server would have checked an impersonated request for the log itself.
  if (acting_as_ == ActingAs::Caller) {
    CO_TRY_VOID(
        co_await authorizer_.authorize_in(caller, workload::Verb::Logs, record->namespace_name));
  }
  if (has_begun(*record, container) || !options.follow || options.previous) {
    co_return co_await open_files_or_api(caller, std::move(pod), std::move(container), options);
  }
  auto open = [this, caller, container, options](std::unique_ptr<PodWatch> begun) {
    return open_files_or_api(caller, std::move(begun), container, options);
  };
  co_return std::make_unique<PendingLogStream>(std::move(pod), std::move(container),
                                               std::move(open));
}

net::Task<Result<std::unique_ptr<LogStream>>> LogSources::open_files_or_api(
    const auth::Caller& caller, std::unique_ptr<PodWatch> pod, std::string container,
    LogOptions options) {
  std::shared_ptr<const PodRecord> record = pod->current();
  CO_TRY(std::optional<Files> files, co_await find_files(std::move(record), container, options));
  if (files) {
    const LogServices services{files->kubelet, timers_, random_};
    co_return std::make_unique<KubeletLogStream>(services, std::move(pod), std::move(container),
                                                 options, std::move(files->start));
  }
  const LogServices services{client_, timers_, random_};
  auto as = impersonation_of(caller, acting_as_);
  co_return co_await open_api_log(services, std::move(pod), std::move(container), options,
                                  std::move(as));
}

/// nullopt: the log has to come from the API server.
net::Task<Result<std::optional<LogSources::Files>>> LogSources::find_files(
    std::shared_ptr<const PodRecord> pod, std::string container, LogOptions options) {
  if (source_ == LogSource::Api || pod == nullptr || pod->node_address.empty()) {
    co_return std::nullopt;
  }
  const std::string node = pod->node_address;
  if (!has_begun(*pod, container)) co_return std::nullopt;
  ApiClient* const kubelet = kubelets_.find(node);
  if (kubelet == nullptr) co_return std::nullopt;
  Result<KubeletLogStart> start =
      co_await find_kubelet_log(*kubelet, std::move(pod), std::move(container), options);
  if (start) {
    kubelets_.answered(node);
    Files files{*kubelet, *std::move(start)};
    co_return files;
  }
  const Error error = start.error();
  if (error.code == ErrorCode::Cancelled || error.code == ErrorCode::Conflict) {
    co_return fail(error);
  }
  // A node may have no files of one container, and those of others.
  if (error.code != ErrorCode::NotFound) kubelets_.refused(node, error);
  co_return std::nullopt;
}

}  // namespace sluice::backend::kubernetes
