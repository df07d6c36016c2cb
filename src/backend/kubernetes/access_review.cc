#include "backend/kubernetes/access_review.h"

#include "base/json.h"

namespace sluice::backend::kubernetes {
namespace {

json::object attributes(const ResourceAccess& access, std::string_view namespace_name) {
  json::object attributes{
      {"verb", access.verb}, {"group", access.group}, {"resource", access.resource}};
  if (!access.subresource.empty()) attributes["subresource"] = access.subresource;
  if (!namespace_name.empty()) attributes["namespace"] = namespace_name;
  return attributes;
}

std::string review(std::string_view kind, json::object spec) {
  const json::object review{
      {"apiVersion", "authorization.k8s.io/v1"}, {"kind", kind}, {"spec", std::move(spec)}};
  return json::serialize(review);
}

json::array groups_of(const auth::Caller& caller) {
  json::array groups;
  for (const std::string& group : caller.groups) groups.emplace_back(group);
  // What the API server would add to any user that it has authenticated itself.
  groups.emplace_back("system:authenticated");
  return groups;
}

json::object extras_of(const auth::Caller& caller) {
  json::object extras;
  for (const auto& [key, value] : caller.extras) {
    json::value& values = extras[key];
    if (!values.is_array()) values = json::array();
    values.get_array().emplace_back(value);
  }
  return extras;
}

}  // namespace

std::string to_string(const ResourceAccess& access) {
  std::string text = std::string(access.verb) + " " + std::string(access.resource);
  if (!access.group.empty()) text.append(".").append(access.group);
  if (!access.subresource.empty()) text.append("/").append(access.subresource);
  return text;
}

ResourceAccess access_for(workload::Verb verb) {
  switch (verb) {
    case workload::Verb::Status: return {"get", "", "pods", ""};
    case workload::Verb::Logs: return {"get", "", "pods", "log"};
    case workload::Verb::Exec: return {"create", "", "pods", "exec"};
    case workload::Verb::Attach: return {"create", "", "pods", "attach"};
    case workload::Verb::PortForward: return {"create", "", "pods", "portforward"};
  }
  std::unreachable();
}

std::string subject_access_review(const auth::Caller& caller, const ResourceAccess& access,
                                  std::string_view namespace_name) {
  json::object spec{{"user", caller.user},
                    {"groups", groups_of(caller)},
                    {"resourceAttributes", attributes(access, namespace_name)}};
  if (!caller.extras.empty()) spec["extra"] = extras_of(caller);
  return review("SubjectAccessReview", std::move(spec));
}

std::string self_subject_access_review(const ResourceAccess& access,
                                       std::string_view namespace_name) {
  json::object spec{{"resourceAttributes", attributes(access, namespace_name)}};
  return review("SelfSubjectAccessReview", std::move(spec));
}

Result<ReviewAnswer> parse_review(std::string_view text) {
  const auto parsed = json::parse(text);
  const json::object* object = parsed ? parsed->if_object() : nullptr;
  const json::object* status = object != nullptr ? json::find_object(*object, "status") : nullptr;
  const json::value* allowed = status != nullptr ? json::find(*status, "allowed") : nullptr;
  if (allowed == nullptr || !allowed->is_bool()) {
    return fail(ErrorCode::Unavailable, "the cluster did not say whether this is allowed");
  }
  ReviewAnswer answer{.allowed = allowed->get_bool(), .reason = {}};
  if (const auto reason = json::find_string(*status, "reason")) answer.reason = *reason;
  return answer;
}

}  // namespace sluice::backend::kubernetes
