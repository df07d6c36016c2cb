#include "backend/kubernetes/api/access_review.h"

#include <algorithm>

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

std::unexpected<Error> unanswered() {
  return fail(ErrorCode::Unavailable, "the cluster did not say whether this is allowed");
}

Result<json::object> parse_status(std::string_view text) {
  const auto parsed = json::parse(text);
  const json::object* object = parsed ? parsed->if_object() : nullptr;
  const json::object* status = object != nullptr ? json::find_object(*object, "status") : nullptr;
  if (status == nullptr) return unanswered();
  return *status;
}

/// Whether the list `name` has a text that `fits`.
template <typename Fits>
bool any_text(const json::object& object, std::string_view name, Fits fits) {
  const json::array* list = json::find_array(object, name);
  return list != nullptr && std::ranges::any_of(*list, [&](const json::value& item) {
           const auto* text = item.if_string();
           return text != nullptr && fits(std::string_view(text->data(), text->size()));
         });
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

std::string self_subject_rules_review() {
  // Rules that hold in the whole cluster apply in each namespace, whether or not it exists.
  return review("SelfSubjectRulesReview", json::object{{"namespace", "default"}});
}

Result<ReviewAnswer> parse_review(std::string_view text) {
  TRY(const json::object status, parse_status(text));
  const json::value* allowed = json::find(status, "allowed");
  if (allowed == nullptr || !allowed->is_bool()) return unanswered();
  ReviewAnswer answer{.allowed = allowed->get_bool(), .reason = {}};
  if (const auto reason = json::find_string(status, "reason")) answer.reason = *reason;
  return answer;
}

Result<bool> parse_may_impersonate(std::string_view text, std::string_view resource) {
  TRY(const json::object status, parse_status(text));
  const json::array* rules = json::find_array(status, "resourceRules");
  if (rules == nullptr) return unanswered();
  const json::value* incomplete = json::find(status, "incomplete");
  if (incomplete != nullptr && *incomplete == json::value(true)) return true;  // nobody can tell
  return std::ranges::any_of(*rules, [&](const json::value& entry) {
    const json::object* rule = entry.if_object();
    return rule != nullptr &&
           any_text(*rule, "verbs",
                    [](std::string_view verb) {
                      return verb == "*" || verb.starts_with("impersonate");
                    }) &&
           any_text(*rule, "resources",
                    [&](std::string_view name) { return name == "*" || name == resource; });
  });
}

}  // namespace sluice::backend::kubernetes
