#include "gateway/status_response.h"

#include <utility>

#include "base/json.h"

namespace sluice::gateway {
namespace {

constexpr unsigned kOk = 200;
constexpr unsigned kUnavailable = 503;

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
  const workload::PodCounts& pods = status.pods;
  json::object body{{"status", status.phase},
                    {"phase", status.phase},
                    {"project", status.workload.project},
                    {"name", status.workload.name},
                    {"type", workload::to_string(status.workload.type)},
                    {"framework", workload::to_string(status.workload.framework)},
                    {"kind", status.kind}};
  if (!status.message.empty()) body["message"] = status.message;
  body["pods"] = {{"total", pods.total},
                  {"running", pods.running},
                  {"pending", pods.pending},
                  {"succeeded", pods.succeeded},
                  {"failed", pods.failed}};
  return json_response(kOk, body);
}

}  // namespace sluice::gateway
