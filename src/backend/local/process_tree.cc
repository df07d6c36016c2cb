#include "backend/local/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/unique_fd.h"

namespace sluice::backend::local {
namespace {

struct Parenthood {
  pid_t parent;
  pid_t child;
};

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::optional<pid_t> parse_pid(std::string_view text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return pid;
}

/// The fourth field of /proc/PID/stat; the second is the name in parentheses and may contain
/// anything.
std::optional<pid_t> parent_of(std::string_view pid) {
  const std::string path = "/proc/" + std::string(pid) + "/stat";
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  char buffer[512];
  const ssize_t size = ::read(file.get(), buffer, sizeof buffer);
  if (size <= 0) return std::nullopt;
  const std::string_view stat(buffer, static_cast<std::size_t>(size));
  const std::size_t name_end = stat.rfind(')');
  // ") S 123 ": state, then the parent
  if (name_end == std::string_view::npos || name_end + 4 >= stat.size()) return std::nullopt;
  return parse_pid(stat.substr(name_end + 4));
}

/// All processes of the machine. /proc/PID/task/TID/children would be less work for few processes,
/// but it is optional in the kernel (CONFIG_PROC_CHILDREN) and misses children while others exit.
/// `seen` is called with each as soon as it is found.
template <typename Seen>
std::vector<Parenthood> all_processes(Seen seen) {
  std::vector<Parenthood> processes;
  const std::unique_ptr<DIR, CloseDirectory> proc(::opendir("/proc"));
  if (!proc) return processes;
  while (const dirent* entry = ::readdir(proc.get())) {
    const std::optional<pid_t> pid = parse_pid(entry->d_name);
    if (!pid) continue;
    if (const std::optional<pid_t> parent = parent_of(entry->d_name)) {
      processes.push_back({*parent, *pid});
      seen(processes.back());
    }
  }
  std::ranges::sort(processes, {}, &Parenthood::parent);
  return processes;
}

std::vector<Parenthood> all_processes() {
  return all_processes([](const Parenthood&) {});
}

void append_children(const std::vector<Parenthood>& processes, pid_t parent,
                     std::vector<pid_t>& out) {
  for (const auto& [_, child] :
       std::ranges::equal_range(processes, parent, {}, &Parenthood::parent)) {
    out.push_back(child);
  }
}

std::vector<pid_t> with_descendants(const std::vector<Parenthood>& processes,
                                    std::vector<pid_t> roots) {
  // /proc is not read at one instant: a pid that comes round twice would loop.
  for (std::size_t i = 0; i < roots.size() && roots.size() <= processes.size(); ++i) {
    append_children(processes, roots[i], roots);
  }
  return roots;
}

}  // namespace

std::vector<pid_t> children() {
  std::vector<pid_t> result;
  append_children(all_processes(), ::getpid(), result);
  return result;
}

std::vector<pid_t> descendants(std::vector<pid_t> roots) {
  return with_descendants(all_processes(), std::move(roots));
}

void kill_descendants() {
  const pid_t self = ::getpid();
  const std::vector<Parenthood> processes = all_processes([self](const Parenthood& process) {
    if (process.parent == self) (void)::kill(process.child, SIGKILL);
  });
  std::vector<pid_t> roots;
  append_children(processes, self, roots);
  signal_all(with_descendants(processes, std::move(roots)), SIGKILL);
}

void signal_all(const std::vector<pid_t>& processes, int signal) {
  // ESRCH: it ended by itself. EPERM: a set-uid program, which its parent's end must bring down.
  for (const pid_t pid : processes) (void)::kill(pid, signal);
}

}  // namespace sluice::backend::local
