#include "backend/local/cgroup.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/file.h"

namespace sluice::backend::local {
namespace {

constexpr std::size_t kMaxProcFileBytes = 1_MiB;
constexpr std::string_view kServerPrefix = "sluiced-trees-";
constexpr int kMaxNamesakes = 100;
constexpr int kEmptyChecks = 100;
constexpr int kEmptyCheckMs = 10;
constexpr int kLockChecks = 200;
constexpr int kLockCheckMs = 10;

Error unusable(const std::string& path, std::string_view call, int error_number) {
  return system_error(ErrorCode::Unavailable, "no cgroup can be used",
                      fmt::format("{} {}", call, path), error_number);
}

UniqueFd open_directory(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::vector<std::string> cgroups_below(const std::string& path) {
  std::vector<std::string> paths;
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->is_directory(error)) paths.push_back(entry->path());
  }
  return paths;
}

void remove_with_those_below(const std::string& path) {
  if (::rmdir(path.c_str()) == 0 || errno != EBUSY) return;
  for (const std::string& below : cgroups_below(path)) remove_with_those_below(below);
  ::rmdir(path.c_str());
}

bool says_populated(int events) {
  char text[256];
  const ssize_t size = ::pread(events, text, sizeof text, 0);
  if (size <= 0) return false;  // it was removed meanwhile
  return std::string_view(text, static_cast<std::size_t>(size)).contains("populated 1");
}

bool has_processes(int directory) {
  const UniqueFd events(::openat(directory, "cgroup.events", O_RDONLY | O_CLOEXEC));
  return events && says_populated(events.get());
}

/// Takes the part before the separator, or all, off the front.
std::string_view take_field(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return field;
}

/// mountinfo writes blanks, line ends and backslashes as \ooo.
std::string unescape(std::string_view text) {
  const auto is_octal = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '7'; };
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(i + 1) && is_octal(i + 2) &&
        is_octal(i + 3)) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                  (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

struct Mount {
  std::string root;   // which cgroup it shows
  std::string point;  // where
};

/// A line of /proc/PID/mountinfo, proc(5); nullopt when it is no cgroup2 hierarchy.
std::optional<Mount> parse_cgroup2_mount(std::string_view line) {
  const std::size_t options_end = line.find(" - ");
  if (options_end == std::string_view::npos) return std::nullopt;
  if (!line.substr(options_end).starts_with(" - cgroup2 ")) return std::nullopt;
  for (int i = 0; i < 3; ++i) take_field(line, ' ');  // mount, parent, device
  Mount mount;
  mount.root = unescape(take_field(line, ' '));
  mount.point = unescape(take_field(line, ' '));
  return mount;
}

/// `path` as seen from `root`; nullopt when it isn't below it.
std::optional<std::string_view> relative_to(std::string_view root, std::string_view path) {
  if (root == "/") return path == "/" ? std::string_view() : path;
  if (!path.starts_with(root)) return std::nullopt;
  path.remove_prefix(root.size());
  if (!path.empty() && path.front() != '/') return std::nullopt;
  return path;
}

/// Its name says which process it was: "4711", "4711-1".
bool server_has_ended(std::string_view name) {
  pid_t pid = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
  return parsed.ec == std::errc() && pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH;
}

/// A lock that can be had says that the server, its process host and its shims have all ended.
/// Those of a server that was killed may still be about to.
bool lock_abandoned(int directory, std::string_view name) {
  for (int i = 0; i < kLockChecks; ++i) {
    if (::flock(directory, LOCK_EX | LOCK_NB) == 0) return true;
    if (!has_processes(directory) || !server_has_ended(name)) return false;
    (void)::poll(nullptr, 0, kLockCheckMs);
  }
  return false;
}

void remove_abandoned(const std::string& directory) {
  const std::string prefix = fmt::format("{}/{}", directory, kServerPrefix);
  for (const std::string& path : cgroups_below(directory)) {
    if (!path.starts_with(prefix)) continue;
    const UniqueFd probe = open_directory(path);
    if (!probe || !lock_abandoned(probe.get(), std::string_view(path).substr(prefix.size()))) {
      continue;
    }
    (void)Cgroup::adopt(path);  // whose end is that of all in it
  }
}

/// Another server may take it for abandoned before it is locked: then the next name is tried.
Result<Cgroup> make_locked(const std::string& directory) {
  for (int namesake = 0; namesake < kMaxNamesakes; ++namesake) {
    std::string path = fmt::format("{}/{}{}", directory, kServerPrefix, ::getpid());
    if (namesake > 0) path += fmt::format("-{}", namesake);
    if (::access(path.c_str(), F_OK) == 0) continue;
    TRY(Cgroup made, Cgroup::make(std::move(path)));
    if (made.lock() && ::access(made.path().c_str(), F_OK) == 0) return made;
  }
  return fail(unusable(directory, "lock a cgroup in", EBUSY));
}

/// Whether a process can be started in a cgroup below this one, and be killed with it: it takes
/// rights on several files, and Linux 5.14.
Result<> try_out(const Cgroup& server) {
  TRY(const Cgroup cgroup, Cgroup::make(server.path() + "/trial"));
  const pid_t pid = cgroup.fork();
  if (pid < 0) return fail(unusable(cgroup.path(), "clone3 into", errno));
  if (pid == 0) {
    ::alarm(5);  // should the kill have no effect
    ::pause();
    ::_exit(0);
  }
  if (::faccessat(cgroup.fd(), "cgroup.kill", W_OK, 0) != 0) {
    const int error_number = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return fail(unusable(cgroup.path(), "write cgroup.kill of", error_number));
  }
  cgroup.kill();
  ::waitpid(pid, nullptr, 0);
  return {};
}

}  // namespace

Result<Cgroup> Cgroup::make(std::string path) {
  if (::mkdir(path.c_str(), 0755) != 0) return fail(unusable(path, "mkdir", errno));
  UniqueFd fd = open_directory(path);
  if (!fd) return fail(unusable(path, "open", errno));
  return Cgroup(std::move(path), std::move(fd));
}

Cgroup Cgroup::adopt(std::string path) {
  UniqueFd fd = open_directory(path);
  return {std::move(path), std::move(fd)};
}

Cgroup::~Cgroup() {
  if (!fd_ || !is_there()) return;
  if (is_populated()) {
    kill();
    wait_until_empty();
  }
  remove_with_those_below(path_);
}

pid_t Cgroup::fork() const {
  // Moving a process that runs would make all forks of the machine wait for an RCU grace period.
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP;
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<std::uint64_t>(fd_.get());
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

void Cgroup::kill() const {
  const UniqueFd file(::openat(fd_.get(), "cgroup.kill", O_WRONLY | O_CLOEXEC));
  if (file) (void)!::write(file.get(), "1", 1);
}

bool Cgroup::is_populated() const { return has_processes(fd_.get()); }

bool Cgroup::lock() const { return ::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0; }

/// Not when somebody else removed it: its path may be that of another one by now.
bool Cgroup::is_there() const { return ::faccessat(fd_.get(), "cgroup.events", F_OK, 0) == 0; }

void Cgroup::wait_until_empty() const {
  const UniqueFd events(::openat(fd_.get(), "cgroup.events", O_RDONLY | O_CLOEXEC));
  for (int i = 0; i < kEmptyChecks && events && says_populated(events.get()); ++i) {
    pollfd changed{events.get(), POLLPRI, 0};
    (void)::poll(&changed, 1, kEmptyCheckMs);
  }
}

Result<Cgroup> make_server_cgroup() {
  TRY(const std::string mountinfo, read_file("/proc/self/mountinfo", kMaxProcFileBytes));
  TRY(const std::string self, read_file("/proc/self/cgroup", kMaxProcFileBytes));
  const std::optional<std::string> directory = own_cgroup_directory(mountinfo, self);
  if (!directory) {
    return fail(ErrorCode::Unavailable, "no cgroup2 hierarchy is mounted that shows our cgroup");
  }
  remove_abandoned(*directory);
  TRY(Cgroup server, make_locked(*directory));
  TRY_VOID(try_out(server));
  return server;
}

std::optional<std::string> own_cgroup_directory(std::string_view mountinfo,
                                                std::string_view self_cgroup) {
  std::optional<std::string_view> own;
  while (!self_cgroup.empty()) {
    const std::string_view line = take_field(self_cgroup, '\n');
    if (line.starts_with("0::/")) own = line.substr(3);  // the others are of cgroup v1
  }
  while (own && !mountinfo.empty()) {
    const std::optional<Mount> mount = parse_cgroup2_mount(take_field(mountinfo, '\n'));
    if (!mount) continue;
    if (const auto relative = relative_to(mount->root, *own)) {
      return mount->point + std::string(*relative);
    }
  }
  return std::nullopt;
}

}  // namespace sluice::backend::local
