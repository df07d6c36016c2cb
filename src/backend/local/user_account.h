// UserAccount: a user of this machine as whom a container's processes run, by its user database
// (getpwnam(3)), and whether sluiced may start processes as somebody else.
#pragma once

#include <string>

#include "backend/local/process_protocol.h"
#include "base/result.h"

namespace sluice::backend::local {

struct UserAccount {
  std::string name;
  std::string home;
  std::string shell;
  Credentials credentials;

  bool operator==(const UserAccount&) const = default;
};

/// Reads the user database anew. Errors: InvalidArgument, saying that there is no such user, or
/// that sluiced may not run processes as that one and what it takes.
Result<UserAccount> find_user(const std::string& name);

}  // namespace sluice::backend::local
