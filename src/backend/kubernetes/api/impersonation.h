// Impersonation: whom the API server shall take us for, and the request fields that say so
// (kubernetes/apiserver pkg/endpoints/filters/impersonation).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "http/message.h"

namespace sluice::backend::kubernetes {

/// As whom the API server sees what a caller asks for.
enum class ActingAs {
  Caller,   // impersonation: the cluster's own RBAC and audit decide and record
  Gateway,  // ourselves, after a SubjectAccessReview for the caller
};

/// Names that begin with "system:" never get here.
struct Impersonation {
  std::string user;
  std::string uid;  // empty: none
  std::vector<std::string> groups;
  std::vector<std::pair<std::string, std::string>> extras;  // key, value; keys may repeat
};

/// Adds Impersonate-User and the others. Errors: InvalidArgument: a value that a field can't carry
/// as it is (empty, a control character, a space at either end): the API server would take us for
/// someone else, or for ourselves.
Result<> add_impersonation(http::FieldMap& fields, const Impersonation& as);

}  // namespace sluice::backend::kubernetes
