#include "sluiced/hand_over.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>

#include <fmt/format.h>

#include "net/exec_arguments.h"
#include "net/spawn_attributes.h"

namespace sluice::sluiced {
namespace {

std::unexpected<Error> not_started(std::string_view what, int error_number) {
  return fail(
      system_error(ErrorCode::Unavailable, "the new server can't be started", what, error_number));
}

/// Our own environment, with what inheritance.h reads.
std::vector<std::string> environment_of(const SuccessorStart& start) {
  std::vector<std::string> names;
  for (const auto& socket : start.sockets) names.emplace_back(socket.name);
  std::vector<std::string> environment = net::own_environment();
  const std::size_t count = start.sockets.size();
  environment.push_back(fmt::format("LISTEN_FDS={}", count));
  environment.push_back(fmt::format("LISTEN_FDNAMES={}", fmt::join(names, ":")));
  environment.push_back(
      fmt::format("{}={}", kPredecessorVariable, static_cast<std::size_t>(kFirstSocket) + count));
  if (start.held) environment.push_back(fmt::format("{}=1", kHeldVariable));
  return environment;
}

/// Duplicates above all numbers that they are to get, so that none of them overwrites another.
Result<std::vector<UniqueFd>> duplicates_above(const SuccessorStart& start, int control) {
  const int least = kFirstSocket + static_cast<int>(start.sockets.size()) + 1;
  std::vector<UniqueFd> duplicates;
  const auto add = [&](int fd) {
    duplicates.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, least));
    return static_cast<bool>(duplicates.back());
  };
  for (const auto& socket : start.sockets) {
    if (!add(socket.fd)) return not_started("fcntl", errno);
  }
  if (!add(control)) return not_started("fcntl", errno);
  return duplicates;
}

Result<pid_t> spawn(const SuccessorStart& start, int control) {
  TRY(const std::vector<UniqueFd> descriptors, duplicates_above(start, control));
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  int next = kFirstSocket;
  for (const UniqueFd& fd : descriptors) {
    posix_spawn_file_actions_adddup2(&files, fd.get(), next++);
  }
  posix_spawn_file_actions_addclosefrom_np(&files, next);
  const net::SpawnAttributes attributes;
  std::vector<std::string> arguments = start.arguments;
  arguments.insert(arguments.begin(), start.program);
  std::vector<std::string> environment = environment_of(start);
  pid_t child = 0;
  const int error =
      ::posix_spawn(&child, start.program.c_str(), &files, attributes.get(),
                    net::pointers_to(arguments).data(), net::pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return not_started(start.program, error);
  return child;
}

}  // namespace

Result<std::unique_ptr<Successor>> Successor::start(net::Executor executor,
                                                    const SuccessorStart& start) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return not_started("socketpair", errno);
  }
  UniqueFd ours(pair[0]);
  const UniqueFd theirs(pair[1]);
  TRY(const pid_t child, spawn(start, theirs.get()));
  return std::unique_ptr<Successor>(new Successor(executor, std::move(ours), child));
}

Successor::Successor(net::Executor executor, UniqueFd socket, pid_t child)
    : socket_(executor, std::move(socket)), child_(child) {}

Successor::~Successor() {
  // It ended long ago, unless it hangs before it is a server.
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

net::Task<Result<pid_t>> Successor::ready() {
  while (true) {
    pid_t server = 0;
    const ssize_t count = ::recv(socket_.fd(), &server, sizeof server, MSG_DONTWAIT);
    if (count == sizeof server) co_return server;
    if (count >= 0 || errno != EAGAIN) {
      co_return fail(ErrorCode::Unavailable, "the new server has ended; see what it said");
    }
    CO_TRY_VOID(co_await socket_.readable());
  }
}

void Successor::let_serve() {
  (void)::send(socket_.fd(), "", 1, MSG_NOSIGNAL);  // should it have died, its end is its parent's
}

net::Task<Result<>> Predecessor::take_over() {
  const pid_t own = ::getpid();
  const ssize_t sent = ::send(socket_.fd(), &own, sizeof own, MSG_NOSIGNAL);
  while (sent == sizeof own) {
    CO_TRY_VOID(co_await socket_.readable());
    char allowed = 0;
    const ssize_t count = ::recv(socket_.fd(), &allowed, sizeof allowed, MSG_DONTWAIT);
    if (count == sizeof allowed) co_return Result<>{};
    if (count >= 0 || errno != EAGAIN) break;
  }
  co_return fail(ErrorCode::Unavailable, "the old server goes on serving, or has ended");
}

Result<> leave_parent() {
  const pid_t server = ::fork();
  if (server < 0) return not_started("fork", errno);
  if (server > 0) ::_exit(0);
  return {};
}

}  // namespace sluice::sluiced
