// Cgroup: a control group (v2) with the processes of one tree in it, whatever they do to their
// parents and sessions, and so a tree that the kernel kills at one stroke. No controller is used:
// nothing is limited or accounted here. cgroups(7); the kernel's Documentation on cgroup v2.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace sluice::backend::local {

class Cgroup {
 public:
  /// None: nothing is in it.
  Cgroup() = default;
  /// Makes the directory. Errors: Unavailable.
  static Result<Cgroup> make(std::string path);
  /// One that another process made; none when there is no such directory.
  static Cgroup adopt(std::string path);

  Cgroup(Cgroup&&) = default;
  Cgroup& operator=(Cgroup&&) = delete;
  /// Kills what is still in it, waits for that for at most 1 s, and removes it with the cgroups
  /// that its programs made below it.
  ~Cgroup();

  explicit operator bool() const { return static_cast<bool>(fd_); }
  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }

  /// As fork(2), with the child in this cgroup from its first instruction on. For processes with
  /// one thread. -1 with errno, also where a plain fork() would do.
  pid_t fork() const;
  /// SIGKILL to all in it and below it; none of them, and no child that they are just starting,
  /// escapes.
  void kill() const;
  /// Whether a process lives in it or below it; zombies don't count.
  bool is_populated() const;
  /// Holds it until every process that has the descriptor, by fork, has ended or closed it. False:
  /// somebody else does.
  bool lock() const;

 private:
  Cgroup(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  bool is_there() const;
  void wait_until_empty() const;

  std::string path_;
  UniqueFd fd_;
};

/// The cgroup of this server, in which those of its processes are to be made. It is below the one
/// that the server runs in, is held by a lock, and was tried out. Removes what servers that were
/// killed left there, with the processes. Errors: Unavailable: why there can be none.
Result<Cgroup> make_server_cgroup();

/// The directory of the caller's own cgroup, by /proc/self/mountinfo and /proc/self/cgroup; nullopt
/// when no cgroup2 hierarchy is mounted that shows it.
std::optional<std::string> own_cgroup_directory(std::string_view mountinfo,
                                                std::string_view self_cgroup);

}  // namespace sluice::backend::local
