#include "backend/local/program_start.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::backend::local {
namespace {

[[noreturn]] void give_up(int report, SpawnStage stage, int error_number) {
  const StartFailure failure{stage, error_number};
  (void)!::write(report, &failure, sizeof failure);  // the caller reads an end of file then: killed
  ::_exit(127);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
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
  const std::vector<char*> arguments = pointers(request.command);
  const std::vector<char*> environment = pointers(request.environment);
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

[[noreturn]] void become_program(const SpawnRequest& request, const SpawnDescriptors& descriptors,
                                 int report, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  ::setsid();
  reset_signals();
  ::umask(022);
  if (!install_descriptors(descriptors, report)) give_up(report, SpawnStage::Fork, errno);
  if (request.tty && ::ioctl(0, TIOCSCTTY, 0) != 0) give_up(report, SpawnStage::Terminal, errno);
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
