// The local backend's workloads file (contract section 9): which processes there shall be. Reading
// only; what becomes of it is supervisor.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/local/user_account.h"
#include "base/result.h"
#include "workload/workload_ref.h"

namespace sluice::backend::local {

enum class RestartPolicy { Never, OnFailure, Always };

/// What is kept of the log of one run.
struct LogLimits {
  std::int64_t max_size_bytes = 10 << 20;  // of a file
  std::int64_t max_files = 5;
  std::int64_t max_held_bytes = 1 << 30;  // of the container's deleted files, for slow readers

  bool operator==(const LogLimits&) const = default;
};

struct ContainerSpec {
  std::string name;
  std::vector<std::string> command;  // at least one
  std::map<std::string, std::string> environment;
  std::string working_directory;  // absolute; empty: /
  bool stdin = false;             // keep a stdin open for attach
  bool tty = false;
  RestartPolicy restart = RestartPolicy::Never;
  LogLimits logs;
  std::optional<UserAccount> user;  // absent: sluiced's own

  bool operator==(const ContainerSpec&) const = default;
};

struct WorkloadSpec {
  workload::WorkloadRef ref;
  int replicas = 1;
  std::vector<ContainerSpec> containers;  // at least one, names unique

  bool operator==(const WorkloadSpec&) const = default;
};

struct WorkloadsFile {
  std::vector<std::string> projects;    // also those without workloads
  std::vector<WorkloadSpec> workloads;  // unique by project, type and name
};

/// Looks up the users that it names. Errors: InvalidArgument, "FILE:LINE: KEY: what is wrong and
/// what would be right".
Result<WorkloadsFile> read_workloads_file(const std::string& path);
/// The same of a text; `file` is its name in errors and gives the directory for relative paths.
Result<WorkloadsFile> parse_workloads(std::string_view text, const std::string& file);

}  // namespace sluice::backend::local
