#include "gateway/status_response.h"

#include <utility>

#include "base/text.h"
#include "http/status.h"

namespace sluice::gateway {
namespace {

using http::status::kOk;
using http::status::kUnavailable;

std::string_view to_string(workload::FeatureState state) {
  switch (state) {
    case workload::FeatureState::Ok: return "OK";
    case workload::FeatureState::Degraded: return "Degraded";
    case workload::FeatureState::Unavailable: return "Unavailable";
  }
  std::unreachable();
}

http::Response json_response(unsigned status, const json::value& body) {
  http::Response response;
  response.head.status = status;
  response.head.fields.add("Content-Type", "application/json");
  response.body = json::serialize(body);
  return response;
}

json::object features_of(const workload::ClusterStatus& status) {
  json::object features;
  for (const workload::FeatureStatus& feature : status.features) {
    json::object entry{{"state", to_string(feature.state)}};
    if (!feature.message.empty()) entry["message"] = feature.message;
    features[feature.name] = std::move(entry);
  }
  return features;
}

std::string_view overall(const workload::ClusterStatus& status) {
  if (!status.reachable) return "Unavailable";
  for (const workload::FeatureStatus& feature : status.features) {
    if (feature.state != workload::FeatureState::Ok) return "Degraded";
  }
  return "OK";
}

json::object pod_counts(const workload::PodCounts& pods) {
  return {{"total", pods.total},
          {"running", pods.running},
          {"pending", pods.pending},
          {"succeeded", pods.succeeded},
          {"failed", pods.failed}};
}

std::string_view to_string(workload::ContainerState state) {
  switch (state) {
    case workload::ContainerState::Waiting: return "waiting";
    case workload::ContainerState::Running: return "running";
    case workload::ContainerState::Terminated: return "terminated";
  }
  std::unreachable();
}

std::string_view to_string(workload::ContainerRole role) {
  switch (role) {
    case workload::ContainerRole::Main: return "main";
    case workload::ContainerRole::Init: return "init";
    case workload::ContainerRole::Ephemeral: return "ephemeral";
  }
  std::unreachable();
}

json::object container_entry(const workload::ContainerStatus& container) {
  json::object entry{{"name", container.name},
                     {"state", to_string(container.state)},
                     {"role", to_string(container.role)},
                     {"ready", container.ready},
                     {"default", container.is_default},
                     {"restarts", container.restarts}};
  if (!container.reason.empty()) entry["reason"] = container.reason;
  if (container.exit_code) entry["exitCode"] = *container.exit_code;
  if (container.started_at) entry["startedAt"] = format_rfc3339(*container.started_at);
  return entry;
}

json::object pod_entry(const workload::PodStatus& pod, bool is_default) {
  int restarts = 0;
  json::array containers;
  for (const workload::ContainerStatus& container : pod.containers) {
    restarts += container.restarts;
    containers.push_back(container_entry(container));
  }
  json::object entry{{"name", pod.name},
                     {"phase", pod.phase},
                     {"ready", pod.ready},
                     {"default", is_default},
                     {"restarts", restarts}};
  if (!pod.node.empty()) entry["node"] = pod.node;
  if (!pod.reason.empty()) entry["reason"] = pod.reason;
  if (pod.created_at) entry["createdAt"] = format_rfc3339(*pod.created_at);
  entry["containers"] = std::move(containers);
  return entry;
}

}  // namespace

http::Response cluster_status_response(const workload::ClusterStatus& status,
                                       std::string_view version) {
  json::object backend{{"kind", status.backend_kind}};
  if (!status.backend_version.empty()) backend["version"] = status.backend_version;
  json::object body{{"status", overall(status)}, {"version", version}};
  if (!status.reachable) body["code"] = kUnavailable;
  if (!status.message.empty()) body["message"] = status.message;
  if (!status.reachable && status.message.empty()) body["message"] = "the cluster is unreachable";
  body["backend"] = std::move(backend);
  body["features"] = features_of(status);
  http::Response response = json_response(status.reachable ? kOk : kUnavailable, body);
  if (!status.reachable) response.head.fields.add("Retry-After", "5");
  return response;
}

http::Response workload_status_response(const workload::WorkloadStatus& status) {
  json::object body{{"status", status.phase},
                    {"phase", status.phase},
                    {"project", status.workload.project},
                    {"name", status.workload.name},
                    {"type", workload::to_string(status.workload.type)},
                    {"framework", workload::to_string(status.workload.framework)},
                    {"kind", status.kind}};
  if (!status.message.empty()) body["message"] = status.message;
  body["pods"] = pod_counts(status.pods);
  return json_response(kOk, body);
}

json::object workload_entry(const workload::WorkloadStatus& status) {
  json::object entry{{"name", status.workload.name},
                     {"type", workload::to_string(status.workload.type)},
                     {"framework", workload::to_string(status.workload.framework)},
                     {"kind", status.kind},
                     {"status", status.phase},
                     {"phase", status.phase}};
  if (!status.message.empty()) entry["message"] = status.message;
  if (status.created_at) entry["createdAt"] = format_rfc3339(*status.created_at);
  entry["pods"] = pod_counts(status.pods);
  return entry;
}

http::Response workload_list_response(const std::vector<workload::WorkloadStatus>& workloads) {
  json::array list;
  for (const workload::WorkloadStatus& status : workloads) list.push_back(workload_entry(status));
  return json_response(kOk, json::object{{"workloads", std::move(list)}});
}

http::Response pod_list_response(const std::vector<workload::PodStatus>& pods) {
  json::array list;
  for (const workload::PodStatus& pod : pods) list.push_back(pod_entry(pod, list.empty()));
  return json_response(kOk, json::object{{"pods", std::move(list)}});
}

}  // namespace sluice::gateway
