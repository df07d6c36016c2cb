#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <ctime>

#include "load/commands.h"
#include "load/socket.h"

namespace load {
namespace {

/// Serves one connection of receive, transmit or pingpong; the first nine bytes say which.
void serve(int fd) {
  char command[9];
  if (::recv(fd, command, sizeof command, MSG_WAITALL) != sizeof command) return;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, command + 1, sizeof bytes);
  if (command[0] == 'D') {
    const std::string block(256 << 10, '\0');
    for (std::uint64_t sent = 0; sent < bytes; sent += block.size())
      send_all(fd, block.data(), block.size());
  } else if (command[0] == 'U') {
    for (std::uint64_t got = 0; got < bytes;) got += discard(fd, 1 << 20);
    send_all(fd, "k", 1);
  } else {
    char byte = 0;
    while (::recv(fd, &byte, 1, 0) == 1) send_all(fd, &byte, 1);
  }
}

}  // namespace

void limit(const Arguments& arguments) {
  const int listener = listen_on(std::stoi(arguments.at(0)));
  const std::uint64_t wanted = std::stoull(arguments.at(1));
  std::string block;
  const std::string line = "\x82\x64" + std::string(99, 'x') + "\n";
  while (block.size() + line.size() <= 256 << 10) block += line;
  std::puts("ready");
  std::fflush(stdout);
  const int fd = ::accept(listener, nullptr, nullptr);
  for (std::uint64_t sent = 0; sent < wanted; sent += block.size())
    send_all(fd, block.data(), block.size());
  ::close(fd);
}

void target(const Arguments& arguments) {
  const int listener = listen_on(std::stoi(arguments.at(0)));
  std::puts("ready");
  std::fflush(stdout);
  while (true) {
    const int fd = ::accept(listener, nullptr, nullptr);
    if (fd < 0) die("accept");
    serve(fd);
    ::close(fd);
  }
}

void ticker(const Arguments& arguments) {
  const long milliseconds = std::stol(arguments.at(0));
  while (true) {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    std::printf("%lld\n", static_cast<long long>(now.tv_sec) * 1'000'000'000 + now.tv_nsec);
    std::fflush(stdout);
    const timespec pause{.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1'000'000};
    ::nanosleep(&pause, nullptr);
  }
}

}  // namespace load
