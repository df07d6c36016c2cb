#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <ctime>

#include "load/commands.h"
#include "load/socket.h"

namespace load {
namespace {

/// Closes with a reset, so that no port is left in TIME_WAIT.
void reset(int fd) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd);
}

void tls_upgrade(SSL_CTX* context, int fd, const std::string& path, const std::string& token) {
  SSL* tls = connect_tls(context, fd);  // kept to the end of the program, as the connection is
  const std::string request = upgrade_request(path, token);
  if (SSL_write(tls, request.data(), static_cast<int>(request.size())) <= 0) die("TLS write");
  char head[4096];
  if (SSL_read(tls, head, sizeof head) < 12 || std::memcmp(head + 9, "101", 3) != 0)
    die("TLS upgrade");
}

}  // namespace

void upgrades(const Arguments& arguments) {
  const int port = std::stoi(arguments.at(0));
  const double seconds = std::stod(arguments.at(1));
  const int status = std::stoi(arguments.at(2));
  const std::vector<std::string> tokens = read_lines(arguments.at(4));
  const auto begin = Clock::now();
  std::size_t count = 0;
  while (seconds_since(begin) < seconds && (count < tokens.size() || tokens.size() == 1)) {
    const int fd = connect_to(port);
    upgrade(fd, arguments.at(3), tokens[count % tokens.size()], status);
    reset(fd);
    ++count;
  }
  std::printf("{\"count\": %zu, \"seconds\": %.6f}\n", count, seconds_since(begin));
}

void idle(const Arguments& arguments) {
  raise_descriptor_limit();
  const int port = std::stoi(arguments.at(0));
  const int count = std::stoi(arguments.at(1));
  SSL_CTX* context = arguments.at(2) == "tls" ? SSL_CTX_new(TLS_client_method()) : nullptr;
  const std::string token = read_lines(arguments.at(4)).at(0);
  for (int i = 0; i < count; ++i) {
    const int fd = connect_to(port);
    if (context != nullptr) {
      tls_upgrade(context, fd, arguments.at(3), token);
    } else {
      upgrade(fd, arguments.at(3), token);
    }
  }
  std::printf("{\"sessions\": %d}\n", count);
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

void follow(const Arguments& arguments) {
  raise_descriptor_limit();
  const int port = std::stoi(arguments.at(0));
  const auto count = static_cast<std::size_t>(std::stoi(arguments.at(1)));
  const std::vector<std::string> tokens = read_lines(arguments.at(4));
  const auto connecting = Clock::now();
  std::vector<pollfd> waiting;
  for (std::size_t i = 0; i < count; ++i) {
    waiting.push_back({connect_to(port, i), POLLIN, 0});
    upgrade(waiting.back().fd, arguments.at(3), tokens[i % tokens.size()]);
  }
  const double connected = seconds_since(connecting);
  // What came before all were there doesn't count.
  char bytes[4096];
  for (const pollfd& socket : waiting) {
    while (::recv(socket.fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
  }
  const auto begin = Clock::now();
  auto first = begin;
  while (!waiting.empty() && seconds_since(begin) < std::stod(arguments.at(2))) {
    ::poll(waiting.data(), waiting.size(), 1000);
    std::erase_if(waiting, [&](const pollfd& socket) {
      return (socket.revents & POLLIN) != 0 &&
             ::recv(socket.fd, bytes, sizeof bytes, MSG_DONTWAIT) > 2 &&
             static_cast<unsigned char>(bytes[0]) == 0x82;
    });
    if (waiting.size() == count) first = Clock::now();
  }
  std::printf(
      "{\"served\": %zu, \"seconds\": %.3f, \"connect_seconds\": %.3f, \"spread_seconds\": %.3f}\n",
      count - waiting.size(), seconds_since(begin), connected, seconds_since(first));
  std::fflush(stdout);
  while (::read(STDIN_FILENO, bytes, 1) > 0) {
  }
}

void latency(const Arguments& arguments) {
  const int followers = std::stoi(arguments.at(1));
  const double seconds = std::stod(arguments.at(2));
  const std::string token = read_lines(arguments.at(4)).at(0);
  std::vector<pollfd> sockets;
  for (int i = 0; i < followers; ++i) {
    sockets.push_back({connect_to(std::stoi(arguments.at(0))), POLLIN, 0});
    upgrade(sockets.back().fd, arguments.at(3), token);
  }
  std::vector<double> milliseconds;
  const auto begin = Clock::now();
  while (seconds_since(begin) < seconds) {
    ::poll(sockets.data(), sockets.size(), 1000);
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const double now_ns = static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
    for (const pollfd& socket : sockets) {
      if ((socket.revents & POLLIN) == 0) continue;
      char frame[4096];
      const ssize_t size = ::recv(socket.fd, frame, sizeof frame - 1, 0);
      if (size <= 2) die("a follower was closed");
      frame[size] = '\0';
      milliseconds.push_back((now_ns - std::stod(frame + 2)) / 1e6);
    }
  }
  std::printf("{\"lines\": %zu, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n", milliseconds.size(),
              percentile(milliseconds, 0.5), percentile(milliseconds, 0.99));
}

}  // namespace load
