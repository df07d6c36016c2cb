#include "backend/kubernetes/cache/discovery.h"

#include <algorithm>
#include <set>

#include "backend/kubernetes/api/readiness.h"

namespace sluice::backend::kubernetes {
namespace {

/// Group → its versions, the preferred one first.
using Versions = std::map<std::string, std::vector<std::string>, std::less<>>;

/// An APIGroupList.
Versions read_groups(const json::value& document) {
  Versions versions{{"", {"v1"}}};
  const json::object* list = document.if_object();
  const json::array* groups = list != nullptr ? json::find_array(*list, "groups") : nullptr;
  if (groups == nullptr) return versions;
  for (const json::value& entry : *groups) {
    const json::object* group = entry.if_object();
    if (group == nullptr) continue;
    std::vector<std::string>& known =
        versions[std::string(json::find_string(*group, "name").value_or(""))];
    const auto add = [&known](const json::object& version) {
      std::string name(json::find_string(version, "version").value_or(""));
      if (std::ranges::find(known, name) == known.end()) known.push_back(std::move(name));
    };
    if (const auto* preferred = json::find_object(*group, "preferredVersion")) add(*preferred);
    if (const json::array* all = json::find_array(*group, "versions")) {
      for (const json::value& version : *all) {
        if (const json::object* object = version.if_object()) add(*object);
      }
    }
  }
  return versions;
}

std::string base_path(const std::string& group, const std::string& version) {
  return group.empty() ? "/api/" + version : "/apis/" + group + "/" + version;
}

/// An APIResourceList: kind → plural; subresources ("pods/log") are left out.
std::map<std::string, std::string> read_resources(const json::value& document) {
  std::map<std::string, std::string> plurals;
  const json::object* list = document.if_object();
  const json::array* resources = list != nullptr ? json::find_array(*list, "resources") : nullptr;
  if (resources == nullptr) return plurals;
  for (const json::value& entry : *resources) {
    const json::object* resource = entry.if_object();
    if (resource == nullptr) continue;
    const auto name = json::find_string(*resource, "name");
    const auto kind = json::find_string(*resource, "kind");
    if (!name || !kind || name->find('/') != std::string_view::npos) continue;
    plurals.emplace(*kind, *name);
  }
  return plurals;
}

net::Task<Result<json::value>> get(ApiClient& client, std::string path) {
  ApiRequest request;
  request.path = std::move(path);
  co_return co_await client.get_json(std::move(request));
}

/// Adds what one version of a group serves of `wanted`, and takes that out of it.
net::Task<Result<>> add_version(ApiClient& client, std::string group, std::string version,
                                std::set<GroupKind>& wanted, Discovered& found) {
  const Result<json::value> document = co_await get(client, base_path(group, version));
  if (!document) {
    const Error error = co_await judge_refusal(client, document.error());
    if (error.code == ErrorCode::Cancelled) co_return fail(error);
    // A version may be listed while the server behind it is gone.
    if (error.code == ErrorCode::NotFound) co_return Result<>{};
    for (const GroupKind& kind : wanted) {
      if (kind.group == group) found.failed.emplace(kind, error);
    }
    co_return Result<>{};
  }
  for (const auto& [kind, plural] : read_resources(*document)) {
    const GroupKind key{group, kind};
    if (wanted.erase(key) > 0) found.served.emplace(key, ApiResource{key, version, plural});
  }
  co_return Result<>{};
}

bool wants_of(const std::set<GroupKind>& wanted, const std::string& group) {
  return std::ranges::any_of(wanted, [&](const GroupKind& kind) { return kind.group == group; });
}

}  // namespace

std::string ApiResource::path() const { return base_path(kind.group, version) + "/" + plural; }

net::Task<Result<Discovered>> discover(ApiClient& client, std::vector<GroupKind> kinds) {
  std::set<GroupKind> wanted(kinds.begin(), kinds.end());
  Discovered found;
  if (wanted.empty()) co_return found;
  CO_TRY(const json::value groups, co_await get(client, "/apis"));
  const Versions versions = read_groups(groups);
  for (const auto& [group, served] : versions) {
    for (const std::string& version : served) {
      if (!wants_of(wanted, group)) break;
      CO_TRY_VOID(co_await add_version(client, group, version, wanted, found));
    }
  }
  co_return found;
}

}  // namespace sluice::backend::kubernetes
