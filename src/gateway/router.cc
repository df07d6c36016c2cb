#include "gateway/router.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "gateway/query.h"

namespace sluice::gateway {
namespace {

using Segments = std::vector<std::string_view>;

/// A fixed segment may be percent-encoded like any other (RFC 3986 6.2.2.2).
bool is(std::string_view segment, std::string_view word) {
  return segment == word || percent_decode(segment) == word;
}

struct Pattern {
  std::string_view path;  // behind the base path
  Endpoint endpoint;
};
// docs/user/openapi.yaml describes each; tools/check_docs compares.
constexpr auto kPatterns = std::to_array<Pattern>({
    {"/status", Endpoint::ClusterStatus},
    {"/api/v1/{project}/workloads", Endpoint::Workloads},
    {"/api/v1/{project}/workloads/{type}/{framework}/{name}/status", Endpoint::WorkloadStatus},
    {"/api/v1/{project}/workloads/{type}/{framework}/{name}/pods", Endpoint::Pods},
    {"/api/v1/{project}/workloads/{type}/{framework}/{name}/logs", Endpoint::Logs},
    {"/api/v1/{project}/workloads/{type}/{framework}/{name}/logs/download", Endpoint::LogDownload},
    {"/api/v1/{project}/workloads/{type}/{framework}/{name}/exec", Endpoint::Exec},
    {"/api/v1/{project}/workloads/{type}/{framework}/{name}/attach", Endpoint::Attach},
    {"/api/v1/{project}/workloads/{type}/{framework}/{name}/port-forward", Endpoint::PortForward},
});

/// What is left of `path`, which begins with '/', behind the base path: "/status". The base may be
/// percent-encoded, too; a slash in it is only ever a slash.
std::optional<std::string_view> behind_base(std::string_view path, std::string_view base) {
  while (!base.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::size_t base_end = std::min(base.find('/', 1), base.size());
    if (!is(path.substr(1, end - 1), base.substr(1, base_end - 1))) return std::nullopt;
    path.remove_prefix(end);
    base.remove_prefix(base_end);
    if (path.empty()) return std::nullopt;
  }
  return path;
}

/// Where the segment that a "{parameter}" stands for goes; null: the pattern's word is no
/// parameter.
std::string* parameter_of(Route& route, std::string_view word) {
  if (word == "{project}") return &route.project;
  if (word == "{type}") return &route.type;
  if (word == "{framework}") return &route.framework;
  return word == "{name}" ? &route.name : nullptr;
}

std::optional<Route> match_pattern(const Pattern& pattern, const Segments& segments) {
  const Segments words = split(pattern.path, '/');
  if (words.size() != segments.size()) return std::nullopt;
  Route route{.endpoint = pattern.endpoint};
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (std::string* const parameter = parameter_of(route, words[i])) {
      *parameter = segments[i];
    } else if (!is(segments[i], words[i])) {
      return std::nullopt;
    }
  }
  return route;
}

std::unexpected<Error> malformed(std::string_view parameter, std::string_view problem) {
  return fail(ErrorCode::InvalidArgument,
              fmt::format("malformed path parameter: {} {}", parameter, problem));
}

Result<std::string> decode_parameter(std::string_view parameter, std::string_view segment) {
  std::optional<std::string> text = percent_decode(segment);
  if (!text) return malformed(parameter, "is not percent-encoded UTF-8");
  if (text->empty()) return malformed(parameter, "is empty");
  if (text->find('/') != std::string::npos || text->find('\0') != std::string::npos) {
    return malformed(parameter, "holds a slash or NUL");
  }
  return *std::move(text);
}

Result<> check_project(const std::string& project) {
  if (is_dns_label(project)) return {};
  return malformed("project",
                   quoted(project) + " is no valid name: at most 63 of a-z, 0-9 and '-'");
}

}  // namespace

Result<Route> Router::match(std::string_view method, std::string_view path) const {
  // "*" of OPTIONS and the nothing before a query are targets too (RFC 9112 §3.2).
  const auto rest = path.starts_with('/') ? behind_base(path, base_) : std::nullopt;
  const Segments segments = rest ? split(*rest, '/') : Segments();
  std::optional<Route> route;
  for (const Pattern& pattern : kPatterns) {
    if (!route) route = match_pattern(pattern, segments);
  }
  if (!route) {
    return fail(
        ErrorCode::NotFound,
        fmt::format("no such path; there are {0}/status, {0}/api/v1/{{project}}/workloads and "
                    "{0}/api/v1/{{project}}/workloads/{{type}}/{{framework}}/{{name}}/"
                    "(status|pods|logs|logs/download|exec|attach|port-forward)",
                    base_));
  }
  if (method != "GET") {
    return fail(ErrorCode::MethodNotAllowed, "only GET is allowed here");
  }
  return *std::move(route);
}

Result<std::string> parse_project(const Route& route) {
  TRY(std::string project, decode_parameter("project", route.project));
  TRY_VOID(check_project(project));
  return project;
}

Result<workload::WorkloadRef> parse_workload(const Route& route) {
  TRY(std::string project, decode_parameter("project", route.project));
  TRY(const std::string type, decode_parameter("type", route.type));
  TRY(const std::string framework, decode_parameter("framework", route.framework));
  TRY(std::string name, decode_parameter("name", route.name));
  TRY_VOID(check_project(project));
  if (!is_dns_subdomain(name)) {
    return malformed("name", quoted(name) +
                                 " is no valid name: at most 253 of a-z, 0-9, '-' and '.', "
                                 "beginning and ending with a letter or digit");
  }
  const auto found = workload::parse_workload_class(type, framework);
  if (!found) {
    return fail(ErrorCode::InvalidArgument, "malformed path parameter: " + found.error().message);
  }
  return workload::WorkloadRef{std::move(project), found->type, found->framework, std::move(name)};
}

}  // namespace sluice::gateway
