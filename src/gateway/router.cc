#include "gateway/router.h"

#include <algorithm>
#include <array>
#include <ranges>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "gateway/query.h"

namespace sluice::gateway {
namespace {

using Segments = std::vector<std::string_view>;

/// "a/b" to {"a", "b"}; a slash at the end makes an empty last segment.
Segments split(std::string_view path) {
  Segments segments;
  for (const auto part : std::views::split(path, '/'))
    segments.emplace_back(part.begin(), part.end());
  return segments;
}

/// A fixed segment may be percent-encoded like any other (RFC 3986 6.2.2.2).
bool is(std::string_view segment, std::string_view word) {
  return segment == word || percent_decode(segment) == word;
}

struct Operation {
  std::string_view word;
  Endpoint endpoint;
};
constexpr auto kOperations = std::to_array<Operation>({
    {"status", Endpoint::WorkloadStatus},
    {"logs", Endpoint::Logs},
    {"exec", Endpoint::Exec},
    {"attach", Endpoint::Attach},
    {"port-forward", Endpoint::PortForward},
    {"pods", Endpoint::Pods},
});

/// The segments behind {name}.
Endpoint match_operation(std::span<const std::string_view> segments) {
  if (segments.size() == 2 && is(segments[0], "logs") && is(segments[1], "download")) {
    return Endpoint::LogDownload;
  }
  if (segments.size() != 1) return Endpoint::Unknown;
  for (const Operation& operation : kOperations) {
    if (is(segments[0], operation.word)) return operation.endpoint;
  }
  return Endpoint::Unknown;
}

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

/// The segments behind the base path: api/v1/{project}/workloads, for the list of them, or
/// api/v1/{project}/workloads/{type}/{framework}/{name}/operation.
Route match_segments(const Segments& segments) {
  constexpr std::size_t kOfList = 4;
  constexpr std::size_t kParameters = 7;
  if (segments.size() == 1 && is(segments[0], "status")) {
    return Route{Endpoint::ClusterStatus, {}, {}, {}, {}};
  }
  if (segments.size() < kOfList || !is(segments[0], "api") || !is(segments[1], "v1") ||
      !is(segments[3], "workloads")) {
    return {};
  }
  if (segments.size() == kOfList) {
    return Route{Endpoint::Workloads, std::string(segments[2]), {}, {}, {}};
  }
  if (segments.size() <= kParameters) return {};
  return Route{match_operation(std::span(segments).subspan(kParameters)), std::string(segments[2]),
               std::string(segments[4]), std::string(segments[5]), std::string(segments[6])};
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
  Route route;
  // "*" of OPTIONS and the nothing before a query are targets too (RFC 9112 §3.2).
  const auto rest = path.starts_with('/') ? behind_base(path, base_) : std::nullopt;
  if (rest) route = match_segments(split(rest->substr(1)));
  if (route.endpoint == Endpoint::Unknown) {
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
  return route;
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
