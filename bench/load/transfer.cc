#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "load/commands.h"
#include "load/socket.h"

namespace load {
namespace {

constexpr std::size_t kBlock = 1 << 20;

/// A connection to `target`: straight, or over a WebSocket when a path is given.
struct Pipe {
  int fd;
  bool websocket;

  Pipe(const Arguments& arguments, std::size_t path_index)
      : fd(connect_to(std::stoi(arguments.at(0)))), websocket(arguments.size() > path_index) {
    if (websocket) upgrade(fd, arguments[path_index], read_text_file(arguments[path_index + 1]));
  }
  ~Pipe() { ::close(fd); }

  void command(char kind, std::uint64_t bytes) const {
    char message[9] = {kind};
    std::memcpy(message + 1, &bytes, sizeof bytes);
    if (!websocket) return send_all(fd, message, sizeof message);
    std::string frame = client_frame(sizeof message);
    for (std::size_t i = 0; i < sizeof message; ++i)
      frame[6 + i] = static_cast<char>(frame[6 + i] ^ message[i]);
    send_all(fd, frame.data(), frame.size());
  }
};

std::uint64_t discard_to_end(int fd) {
  std::uint64_t total = 0;
  while (const std::size_t count = discard(fd, kBlock)) total += count;
  return total;
}

/// An end before that many bytes have come is no measurement, so it ends the program.
std::uint64_t discard_at_least(int fd, std::uint64_t wanted) {
  std::uint64_t total = 0;
  while (total < wanted) {
    const std::size_t count = discard(fd, kBlock);
    if (count == 0) {
      std::fprintf(stderr, "load: the stream ended after %llu of %llu bytes\n",
                   static_cast<unsigned long long>(total), static_cast<unsigned long long>(wanted));
      std::exit(1);
    }
    total += count;
  }
  return total;
}

void report(std::uint64_t bytes, double seconds) {
  std::printf("{\"bytes\": %llu, \"seconds\": %.6f}\n", static_cast<unsigned long long>(bytes),
              seconds);
}

}  // namespace

void drain(const Arguments& arguments) {
  const int fd = connect_to(std::stoi(arguments.at(0)));
  const std::string token = arguments.size() > 2 ? read_text_file(arguments[2]) : "";
  const auto begin = Clock::now();
  if (arguments.size() > 1) upgrade(fd, arguments[1], token);
  // A WebSocket server waits for the answer to its Close, so the clock stops at the last wanted
  // byte.
  const std::uint64_t bytes =
      arguments.size() > 3 ? discard_at_least(fd, std::stoull(arguments[3])) : discard_to_end(fd);
  report(bytes, seconds_since(begin));
}

void receive(const Arguments& arguments) {
  const Pipe pipe(arguments, 2);
  const std::uint64_t wanted = std::stoull(arguments.at(1));
  const auto begin = Clock::now();
  pipe.command('D', wanted);
  // WebSocket headers make it somewhat more than `wanted`; the rest of the last frame doesn't
  // matter.
  discard_at_least(pipe.fd, wanted);
  report(wanted, seconds_since(begin));
}

void transmit(const Arguments& arguments) {
  const Pipe pipe(arguments, 2);
  const std::uint64_t wanted = std::stoull(arguments.at(1));
  const std::string block = pipe.websocket ? client_frame(64 << 10) : std::string(64 << 10, '\0');
  const auto begin = Clock::now();
  pipe.command('U', wanted);
  for (std::uint64_t sent = 0; sent < wanted; sent += 64 << 10)
    send_all(pipe.fd, block.data(), block.size());
  discard_at_least(pipe.fd, 1);  // the target's word that it has all of it
  report(wanted, seconds_since(begin));
}

void pingpong(const Arguments& arguments) {
  const Pipe pipe(arguments, 2);
  const int count = std::stoi(arguments.at(1));
  pipe.command('P', 0);
  const std::string ping = pipe.websocket ? client_frame(1) : "x";
  const std::uint64_t answer = pipe.websocket ? 3 : 1;
  std::vector<double> microseconds;
  for (int i = 0; i < count; ++i) {
    const auto begin = Clock::now();
    send_all(pipe.fd, ping.data(), ping.size());
    discard_at_least(pipe.fd, answer);
    microseconds.push_back(seconds_since(begin) * 1e6);
  }
  std::printf("{\"p50\": %.1f, \"p99\": %.1f}\n", percentile(microseconds, 0.5),
              percentile(microseconds, 0.99));
}

}  // namespace load
