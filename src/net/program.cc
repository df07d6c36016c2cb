#include "net/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "base/bytes.h"
#include "net/current_executor.h"
#include "net/descriptor.h"
#include "net/exec_arguments.h"
#include "net/spawn_attributes.h"
#include "net/task_group.h"

namespace sluice::net {
namespace {

constexpr std::size_t kMaxOutputBytes = 1_MiB;
constexpr std::size_t kMaxErrorBytes = 4_KiB;

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return fail(system_error(ErrorCode::Unavailable, "no pipe for the program", "pipe", errno));
  }
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// "NAME=value" of our own environment, and of `more`, which wins.
std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& more) {
  std::vector<std::string> all;
  for (const auto& [name, value] : more) all.push_back(name + "=" + value);
  for (std::string& variable : own_environment()) {
    const std::string_view name = std::string_view(variable).substr(0, variable.find('='));
    const bool replaced =
        std::ranges::any_of(more, [&](const auto& each) { return each.first == name; });
    if (!replaced) all.push_back(std::move(variable));
  }
  return all;
}

/// A child process: killed and reaped when dropped, if it hasn't been reaped.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    // A process may take a while to die, in the kernel; the loop does not wait for it.
    std::thread([pid = pid_] { ::waitpid(pid, nullptr, 0); }).detach();
  }

  /// When it can be read, the child has ended.
  UniqueFd open_descriptor() const {
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  }
  /// The exit code of a child that has ended.
  int reap() {
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    constexpr int kKilled = 128;
    return WIFEXITED(status) ? WEXITSTATUS(status) : kKilled + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

int spawn(pid_t& pid, Program& program, const UniqueFd& output, const UniqueFd& errors) {
  const SpawnAttributes attributes;
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, errors.get(), STDERR_FILENO);
  std::vector<std::string> arguments = program.arguments;
  arguments.insert(arguments.begin(), program.command);
  std::vector<std::string> environment = environment_with(program.environment);
  const int error = ::posix_spawnp(&pid, program.command.c_str(), &files, attributes.get(),
                                   pointers_to(arguments).data(), pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&files);
  return error;
}

/// What one read(2) of a pipe gave.
enum class Read { Some, NothingNow, End };

/// Keeps the first `limit` bytes of all, and one more if there were more.
Read read_once(int fd, std::string& into, std::size_t limit) {
  std::array<char, 4096> block;
  while (true) {
    const ssize_t count = ::read(fd, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return Read::NothingNow;
    if (count <= 0) return Read::End;
    into.append(block.data(), std::min(static_cast<std::size_t>(count), limit + 1 - into.size()));
    return Read::Some;
  }
}

/// Reads until the pipe's end, however much that is: the program must not wait for us.
Task<> read_pipe(Descriptor& pipe, std::string& into, std::size_t limit) {
  while (true) {
    const Read read = read_once(pipe.fd(), into, limit);
    if (read == Read::End) co_return;
    if (read == Read::Some) continue;
    const Result<> ready = co_await pipe.readable();
    if (!ready) co_return;
  }
}

/// What is in the pipe of a program that has ended.
void read_remains(Descriptor& pipe, std::string& into, std::size_t limit) {
  while (into.size() <= limit && read_once(pipe.fd(), into, limit) == Read::Some) {
  }
}

}  // namespace

Task<Result<ProgramEnd>> run_program(Program program) {
  CO_TRY(Pipe output, make_pipe());
  CO_TRY(Pipe errors, make_pipe());
  pid_t pid = 0;
  if (const int error = spawn(pid, program, output.write, errors.write); error != 0) {
    const ErrorCode code = error == ENOENT ? ErrorCode::NotFound : ErrorCode::Unavailable;
    co_return fail(system_error(code, "the program can't be started", program.command, error));
  }
  Child child(pid);
  output.write.reset();
  errors.write.reset();
  const Executor loop = co_await current_executor();
  Descriptor output_pipe(loop, std::move(output.read));
  Descriptor error_pipe(loop, std::move(errors.read));
  Descriptor ended(loop, child.open_descriptor());

  ProgramEnd end;
  TaskGroup readers(loop);
  readers.spawn("program output", read_pipe(output_pipe, end.output, kMaxOutputBytes));
  readers.spawn("program errors", read_pipe(error_pipe, end.errors, kMaxErrorBytes));
  const Result<> waited = co_await ended.readable();
  if (waited) end.exit_code = child.reap();
  // What it started may live on with our pipes: only what is in them by now counts.
  readers.cancel();
  co_await readers.join();
  read_remains(output_pipe, end.output, kMaxOutputBytes);
  read_remains(error_pipe, end.errors, kMaxErrorBytes);
  if (!waited) co_return fail(waited.error());
  if (end.output.size() > kMaxOutputBytes) {
    co_return fail(ErrorCode::Unavailable, "the program printed more than 1 MiB");
  }
  end.errors.resize(std::min(end.errors.size(), kMaxErrorBytes));
  co_return end;
}

}  // namespace sluice::net
