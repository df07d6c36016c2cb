#include "backend/local/user_account.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>

namespace sluice::backend::local {
namespace {

constexpr std::size_t kMostEntryBytes = 1 << 20;
constexpr int kMostGroups = 65536;  // NGROUPS_MAX of Linux

struct Capability {
  unsigned number;
  std::string_view name;
};
/// To take on the user, to stop what runs as it, and to make it the owner of its pipes and
/// terminal.
constexpr std::array kNeeded{Capability{CAP_SETUID, "CAP_SETUID"},
                             Capability{CAP_SETGID, "CAP_SETGID"}, Capability{CAP_KILL, "CAP_KILL"},
                             Capability{CAP_CHOWN, "CAP_CHOWN"}};

bool is_effective(unsigned capability) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return false;
  return (sets.at(capability / 32).effective >> (capability % 32) & 1U) != 0;
}

Result<> check_rights(const UserAccount& account) {
  if (account.credentials.uid == ::geteuid()) return {};
  std::string missing;
  for (const Capability& capability : kNeeded) {
    if (is_effective(capability.number)) continue;
    if (!missing.empty()) missing += ", ";
    missing += capability.name;
  }
  if (missing.empty()) return {};
  return fail(ErrorCode::InvalidArgument,
              fmt::format("sluiced may not run processes as \"{}\": it lacks {}; give it those, or "
                          "run it as root or as that user",
                          account.name, missing));
}

std::vector<gid_t> groups_of(const std::string& user, gid_t primary) {
  int count = 32;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  while (::getgrouplist(user.c_str(), primary, groups.data(), &count) < 0) {
    if (groups.size() >= static_cast<std::size_t>(kMostGroups)) break;
    count = std::max(count, static_cast<int>(groups.size()) * 2);  // glibc says how many there are
    groups.resize(static_cast<std::size_t>(count));
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

}  // namespace

Result<UserAccount> find_user(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(4096);
  int error = 0;
  while ((error = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found)) ==
             ERANGE &&
         buffer.size() < kMostEntryBytes) {
    buffer.resize(buffer.size() * 2);
  }
  if (found == nullptr) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("this machine has no user \"{}\"; give the name of one that `getent "
                            "passwd` lists",
                            name));
  }
  UserAccount account;
  account.name = name;
  account.home = entry.pw_dir;
  account.shell = entry.pw_shell;
  account.credentials.uid = entry.pw_uid;
  account.credentials.gid = entry.pw_gid;
  account.credentials.groups = groups_of(name, entry.pw_gid);
  TRY_VOID(check_rights(account));
  return account;
}

}  // namespace sluice::backend::local
