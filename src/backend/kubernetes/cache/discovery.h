// Discovery: where the API server serves a kind: which version, and under which plural.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "backend/kubernetes/api/api_client.h"
#include "backend/kubernetes/cache/mapping.h"

namespace sluice::backend::kubernetes {

struct ApiResource {
  GroupKind kind;
  std::string version;
  std::string plural;

  /// Of the whole collection, over all namespaces: "/apis/run.ai/v2alpha1/trainingworkloads".
  std::string path() const;
};

/// What is in neither is not served.
struct Discovered {
  std::map<GroupKind, ApiResource> served;
  std::map<GroupKind, Error> failed;  // why nobody can tell now
};

/// Where each of `kinds` is served: in the version that the server prefers, or else the first that
/// has it. Errors: those of ApiClient::get_json.
net::Task<Result<Discovered>> discover(ApiClient& client, std::vector<GroupKind> kinds);

}  // namespace sluice::backend::kubernetes
