#include "backend/local/program_start.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "net/exec_arguments.h"

namespace sluice::backend::local {
namespace {

[[noreturn]] void give_up(int report, SpawnStage stage, int error_number) {
  const StartFailure failure{stage, error_number};
  (void)!::write(report, &failure, sizeof failure);  // the caller reads an end of file then: killed
  ::_exit(127);
}

std::string_view path_of(const std::vector<std::string>& environment) {
  for (const std::string_view entry : environment) {
    if (entry.starts_with("PATH=")) return entry.substr(5);
  }
  return "/usr/local/bin:/usr/bin:/bin";
}

/// As execvpe(3), but with the PATH of the new environment, and without its fallback to a shell.
/// Returns errno.
int execute(const SpawnRequest& request) {
  const std::vector<char*> arguments = net::pointers_to(request.command);
  const std::vector<char*> environment = net::pointers_to(request.environment);
  const std::string& name = request.command.front();
  if (name.find('/') != std::string::npos) {
    ::execve(name.c_str(), arguments.data(), environment.data());
    return errno;
  }
  if (name.empty()) return ENOENT;
  int result = ENOENT;
  std::string_view path = path_of(request.environment);
  while (true) {
    const std::size_t colon = path.find(':');
    std::string candidate(path.substr(0, colon));
    candidate += candidate.empty() ? "./" : "/";
    candidate += name;
    ::execve(candidate.c_str(), arguments.data(), environment.data());
    if (errno == EACCES) {
      result = EACCES;
    } else if (errno != ENOENT && errno != ENOTDIR) {
      return errno;
    }
    if (colon == std::string_view::npos) return result;
    path.remove_prefix(colon + 1);
  }
}

void reset_signals() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &action, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Puts the descriptors where they belong, via numbers above 2 so that none overwrites another.
bool install_descriptors(const SpawnDescriptors& descriptors, int& report) {
  const UniqueFd* sources[] = {&descriptors.stdin, &descriptors.stdout, &descriptors.stderr};
  int high[3];
  for (int i = 0; i < 3; ++i) {
    const int null = *sources[i] ? -1 : ::open("/dev/null", O_RDWR | O_CLOEXEC);
    high[i] = ::fcntl(null >= 0 ? null : sources[i]->get(), F_DUPFD_CLOEXEC, 3);
    if (high[i] < 0) return false;
  }
  report = ::fcntl(report, F_DUPFD_CLOEXEC, 3);
  for (int i = 0; i < 3; ++i) {
    if (::dup2(high[i], i) < 0) return false;
  }
  return report >= 0;
}

/// Pipes and terminals are opened by name, too: /dev/stdout, /dev/pts/3.
bool give_away_descriptors(uid_t owner) {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) return false;
    const bool own = S_ISFIFO(status.st_mode) || ::isatty(fd) == 1;
    if (own && ::fchown(fd, owner, static_cast<gid_t>(-1)) != 0) return false;
  }
  return true;
}

/// Without the capabilities that this takes. Errors: errno.
bool take_on(const Credentials& credentials) {
  if (credentials.uid == ::geteuid()) return true;
  if (!give_away_descriptors(credentials.uid)) return false;
  if (::setgroups(credentials.groups.size(), credentials.groups.data()) != 0) return false;
  if (::setresgid(credentials.gid, credentials.gid, credentials.gid) != 0) return false;
  if (::setresuid(credentials.uid, credentials.uid, credentials.uid) != 0) return false;
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  return ::syscall(SYS_capset, &header, none.data()) == 0;
}

/// From now on it dies with its parent.
void follow_parent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
}

[[noreturn]] void become_program(const SpawnRequest& request, const SpawnDescriptors& descriptors,
                                 int report, pid_t parent) {
  follow_parent(parent);
  ::setsid();
  reset_signals();
  ::umask(022);
  if (!install_descriptors(descriptors, report)) give_up(report, SpawnStage::Fork, errno);
  if (request.tty && ::ioctl(0, TIOCSCTTY, 0) != 0) give_up(report, SpawnStage::Terminal, errno);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);  // sluiced's are not for workloads
  if (request.credentials) {
    if (!take_on(*request.credentials)) give_up(report, SpawnStage::User, errno);
    follow_parent(parent);  // another user is no longer told
  }
  const std::string& directory = request.working_directory;
  if (::chdir(directory.empty() ? "/" : directory.c_str()) != 0) {
    give_up(report, SpawnStage::WorkingDirectory, errno);
  }
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  give_up(report, SpawnStage::Execute, execute(request));
}

}  // namespace

StartResult start_program(const SpawnRequest& request, SpawnDescriptors descriptors,
                          const Cgroup& cgroup) {
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) return {-1, {SpawnStage::Fork, errno}};
  UniqueFd report_reader(report[0]);
  UniqueFd report_writer(report[1]);
  const pid_t parent = ::getpid();
  pid_t pid = cgroup ? cgroup.fork() : -1;
  if (pid < 0) pid = ::fork();
  if (pid < 0) return {-1, {SpawnStage::Fork, errno}};
  if (pid == 0) become_program(request, descriptors, report_writer.get(), parent);
  report_writer.reset();
  StartFailure failure;
  ssize_t count = -1;
  do {
    count = ::read(report_reader.get(), &failure, sizeof failure);
  } while (count < 0 && errno == EINTR);
  if (count != sizeof failure) return {pid, {}};  // closed by exec
  ::waitpid(pid, nullptr, 0);
  return {-1, failure};
}

}  // namespace sluice::backend::local
