#include "backend/local/process_host.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>

#include "backend/local/process_shim.h"
#include "backend/local/process_tree.h"
#include "backend/local/terminal.h"
#include "net/current_executor.h"

namespace sluice::backend::local {
namespace {

constexpr int kStopTimeoutMs = 5000;
constexpr int kKillIntervalMs = 10;
constexpr std::size_t kMaxNameBytes = 200;  // of a directory's 255

std::optional<SpawnRequest> read_request(int memfd) {
  struct stat status{};
  if (::fstat(memfd, &status) != 0) return std::nullopt;
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  if (::pread(memfd, bytes.data(), bytes.size(), 0) != status.st_size) return std::nullopt;
  return parse_spawn_request(bytes);
}

/// The host process: forks a shim for each packet, and ends when sluiced does and no process is
/// left.
class Host {
 public:
  Host(UniqueFd socket, UniqueFd signals, Cgroup cgroup)
      : socket_(std::move(socket)), signals_(std::move(signals)), cgroup_(std::move(cgroup)) {}

  void run();

 private:
  void take_request();
  void start_shim(SpawnPacket packet);
  /// False when no child is left.
  bool reap();
  std::vector<pid_t> orphans() const;
  std::string tree_path(const SpawnRequest& request);

  UniqueFd socket_;
  UniqueFd signals_;
  Cgroup cgroup_;                       // the server's
  std::map<pid_t, std::string> shims_;  // with the path of the tree's cgroup
  std::uint64_t trees_ = 0;
  bool orphaned_ = false;  // a shim was killed: what was below it is ours now
};

void Host::run() {
  while (reap() || socket_) {
    if (orphaned_) {
      const std::vector<pid_t> left = orphans();
      orphaned_ = !left.empty();
      signal_all(descendants(left), SIGKILL);
    }
    pollfd fds[] = {{signals_.get(), POLLIN, 0}, {socket_.get(), POLLIN, 0}};
    if (::poll(fds, std::size(fds), orphaned_ ? kKillIntervalMs : -1) <= 0) continue;
    if (fds[0].revents != 0) {
      signalfd_siginfo seen;
      (void)!::read(signals_.get(), &seen, sizeof seen);  // reap() finds out
    }
    if (fds[1].revents != 0) take_request();
  }
}

void Host::take_request() {
  SpawnPacket packet;
  switch (receive_spawn_packet(socket_.get(), packet)) {
    case ReceiveResult::Nothing: return;
    case ReceiveResult::EndOfFile: return socket_.reset();
    case ReceiveResult::Packet: start_shim(std::move(packet));
  }
}

void Host::start_shim(SpawnPacket packet) {
  std::optional<SpawnRequest> request = read_request(packet.request_memfd.get());
  if (!request) return;
  packet.request_memfd.reset();
  std::string path = tree_path(*request);
  const pid_t pid = ::fork();
  if (pid < 0) {
    const ShimMessage message{ShimEvent::Failed, SpawnStage::Fork, errno};
    (void)::send(packet.control.get(), &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  if (pid > 0) {
    shims_.emplace(pid, std::move(path));
    return;
  }
  socket_.reset();
  signals_.reset();
  Result<Cgroup> cgroup = cgroup_ ? Cgroup::make(std::move(path)) : Result<Cgroup>();
  // Should that have failed, this tree is ended as it is without cgroups.
  run_shim(*std::move(request), std::move(packet.control), std::move(packet.descriptors),
           cgroup ? *std::move(cgroup) : Cgroup());
  ::_exit(0);  // the server's cgroup stays
}

/// The number makes it unique; the name is for who looks at the machine.
std::string Host::tree_path(const SpawnRequest& request) {
  return cgroup_.path() + "/" + request.name.substr(0, kMaxNameBytes) + "-" +
         std::to_string(++trees_);
}

bool Host::reap() {
  while (true) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid < 0) return errno != ECHILD;
    if (pid == 0) return true;
    const auto shim = shims_.extract(pid);
    if (shim.empty() || !WIFSIGNALED(status)) continue;
    orphaned_ = true;
    if (cgroup_) (void)Cgroup::adopt(shim.mapped());  // whose end is that of all in it
  }
}

std::vector<pid_t> Host::orphans() const {
  std::vector<pid_t> result = children();
  std::erase_if(result, [this](pid_t pid) { return shims_.contains(pid); });
  return result;
}

/// But 0, 1 and 2; -1 is none.
void close_all_but(int first, int second) {
  int next = STDERR_FILENO + 1;
  for (const int kept : {std::min(first, second), std::max(first, second)}) {
    if (kept > next) ::close_range(static_cast<unsigned>(next), static_cast<unsigned>(kept) - 1, 0);
    next = std::max(next, kept + 1);
  }
  ::close_range(static_cast<unsigned>(next), ~0U, 0);
}

[[noreturn]] void run_host(UniqueFd socket, Cgroup cgroup) {
  ::setsid();  // a Ctrl-C at sluiced's terminal is not for us
  ::prctl(PR_SET_NAME, "sluice-host");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  // Nothing of main's stays open here, lest its pipes outlive it.
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) ::_exit(1);
  for (const int fd : {0, 1, 2}) ::dup2(null, fd);
  close_all_but(socket.get(), cgroup.fd());
  (void)!::chdir("/");
  Host(std::move(socket), prepare_reaper_signals(), std::move(cgroup)).run();
  ::_exit(0);
}

Error start_error(const SpawnRequest& request, const ShimMessage& failed) {
  char buffer[128];
  std::string why = strerror_r(failed.value, buffer, sizeof buffer);
  if (!why.empty()) why[0] = static_cast<char>(why[0] | 0x20);  // as part of a sentence
  switch (failed.stage) {
    case SpawnStage::WorkingDirectory:
      return {.code = ErrorCode::InvalidArgument,
              .message = "working directory \"" + request.working_directory + "\": " + why};
    case SpawnStage::Execute:
      return {.code = ErrorCode::InvalidArgument,
              .message = "command \"" + request.command.front() + "\" can't be started: " + why};
    case SpawnStage::User:
      return system_error(ErrorCode::Unavailable, "no process can be started as its user now",
                          "setresuid", failed.value);
    case SpawnStage::Fork:
    case SpawnStage::Terminal:
      return system_error(ErrorCode::Unavailable, "no process can be started now", "spawn",
                          failed.value);
  }
  std::unreachable();
}

Result<UniqueFd> request_memfd(const SpawnRequest& request) {
  const std::string bytes = serialize(request);
  UniqueFd memfd(::memfd_create("sluice-spawn", MFD_CLOEXEC));
  if (!memfd ||
      ::write(memfd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    return fail(
        system_error(ErrorCode::Unavailable, "no process can be started now", "memfd", errno));
  }
  return memfd;
}

/// `failure`: what it means here that there is none.
Result<SocketEnds> make_control_pair(std::string failure) {
  Result<SocketEnds> pair = make_socket_pair();
  if (!pair) pair.error().message = std::move(failure);
  return pair;
}

}  // namespace

Result<ProcessHost> ProcessHost::start(Cgroup cgroup) {
  TRY(SocketEnds pair, make_control_pair("no process host"));
  const pid_t pid = ::fork();
  if (pid < 0) return fail(system_error(ErrorCode::Unavailable, "no process host", "fork", errno));
  if (pid == 0) run_host(std::move(pair.theirs), std::move(cgroup));
  return ProcessHost(pid, std::move(pair.ours), std::move(cgroup));
}

ProcessHost::~ProcessHost() {
  if (!socket_) return;  // moved from
  socket_.reset();
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd ended{process.get(), POLLIN, 0};
  if (process) (void)::poll(&ended, 1, kStopTimeoutMs);
  (void)::waitpid(pid_, nullptr, WNOHANG);
}

bool ProcessHost::is_alive() const {
  char byte = 0;
  const ssize_t count = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && (errno == EAGAIN || errno == EINTR);  // it never says anything here
}

net::Task<Result<ProcessControl>> ProcessHost::spawn(SpawnRequest request,
                                                     SpawnDescriptors descriptors) {
  CO_TRY(UniqueFd memfd, request_memfd(request));
  CO_TRY(SocketEnds pair, make_control_pair("no process can be started now"));
  const net::Executor executor = co_await net::current_executor();
  ProcessControl control(executor, std::move(pair.ours), 0);
  while (!send_spawn_packet(socket_.get(), memfd.get(), pair.theirs.get(), descriptors)) {
    if (errno != EAGAIN) {
      co_return fail(
          system_error(ErrorCode::Unavailable, "no process can be started now", "host", errno));
    }
    net::Descriptor busy(executor, UniqueFd(::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 3)));
    CO_TRY_VOID(co_await busy.writable());
  }
  pair.theirs.reset();
  descriptors = {};
  CO_TRY(const ShimMessage message, co_await control.wait_started());
  if (message.event == ShimEvent::Failed) co_return fail(start_error(request, message));
  if (message.event != ShimEvent::Started) {
    co_return fail(ErrorCode::Unavailable, "no process can be started now");
  }
  co_return control;
}

}  // namespace sluice::backend::local
