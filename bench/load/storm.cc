#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "load/commands.h"
#include "load/socket.h"

namespace load {
namespace {

using std::chrono::milliseconds;

enum class State { Down, Connecting, Upgrading, Following };

struct Client {
  State state = State::Down;
  int fd = -1;
  Clock::time_point retry_at;
  std::string input;      // not yet understood
  bool lost = false;      // it had a session, which is gone
  bool rejoined = false;  // and has one again
  bool served = false;    // which a line has come on
};

/// All clients at once: each connects, upgrades and follows, and when that ends, begins anew.
class Storm {
 public:
  Storm(int port, std::size_t count, std::string path, std::vector<std::string> tokens)
      : address_(loopback(port)),
        path_(std::move(path)),
        tokens_(std::move(tokens)),
        clients_(count),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

  std::size_t following() const { return following_; }
  std::size_t lost() const { return lost_; }
  std::size_t rejoined() const { return rejoined_; }
  std::size_t served() const { return served_; }
  std::size_t attempts() const { return attempts_; }
  std::size_t refusals() const { return refusals_; }

  /// Does what there is to do; waits for it for a few milliseconds.
  void step();

 private:
  void connect(std::size_t index);
  void advance(std::size_t index);
  void send_request(Client& client, const std::string& token);
  bool receive(Client& client);
  void read_head(Client& client);
  void read_frames(Client& client);
  void end(Client& client, milliseconds pause);

  const sockaddr_in address_;
  const std::string path_;
  const std::vector<std::string> tokens_;
  std::vector<Client> clients_;
  const int epoll_;
  std::size_t following_ = 0;
  std::size_t lost_ = 0;
  std::size_t rejoined_ = 0;
  std::size_t served_ = 0;
  std::size_t attempts_ = 0;
  std::size_t refusals_ = 0;  // 429, 503
};

void Storm::step() {
  const auto now = Clock::now();
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    if (clients_[i].state == State::Down && clients_[i].retry_at <= now) connect(i);
  }
  epoll_event events[1024];
  const int count = ::epoll_wait(epoll_, events, 1024, 10);
  for (int i = 0; i < count; ++i) advance(events[i].data.u64);
}

void Storm::connect(std::size_t index) {
  Client& client = clients_[index];
  ++attempts_;
  client.fd = open_socket(index, SOCK_NONBLOCK);
  client.state = State::Connecting;
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u64 = index}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd, &event);
  const auto* address = reinterpret_cast<const sockaddr*>(&address_);
  if (::connect(client.fd, address, sizeof address_) != 0 && errno != EINPROGRESS) {
    end(client, milliseconds(50));
  }
}

void Storm::advance(std::size_t index) {
  Client& client = clients_[index];
  if (client.state == State::Down) return;  // ended by an event before
  if (client.state == State::Connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(client.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return end(client, milliseconds(50));
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    if (::getpeername(client.fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0) return;
    client.state = State::Upgrading;
    send_request(client, tokens_[index % tokens_.size()]);
  }
  const bool open = receive(client);
  if (client.state == State::Upgrading) read_head(client);
  if (client.state == State::Following) read_frames(client);
  if (!open && client.state != State::Down) end(client, milliseconds(0));
}

/// It fits into the empty buffer of a new socket.
void Storm::send_request(Client& client, const std::string& token) {
  const std::string request = upgrade_request(path_, token);
  (void)::send(client.fd, request.data(), request.size(), MSG_NOSIGNAL);
}

/// False: the connection has ended.
bool Storm::receive(Client& client) {
  char bytes[4096];
  while (true) {
    const ssize_t count = ::recv(client.fd, bytes, sizeof bytes, 0);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    client.input.append(bytes, static_cast<std::size_t>(count));
  }
}

void Storm::read_head(Client& client) {
  const std::size_t size = client.input.find("\r\n\r\n");
  if (size == std::string::npos) return;
  const std::string status = client.input.substr(9, 3);
  if (status == "429" || status == "503") {
    ++refusals_;
    const std::size_t after = client.input.find("Retry-After: ");
    const int seconds = after > size ? 1 : std::stoi(client.input.substr(after + 13));
    return end(client, milliseconds(1000 * seconds));
  }
  if (status != "101") die("unexpected answer: " + client.input);
  client.input.erase(0, size + 4);
  client.state = State::Following;
  ++following_;
  if (!client.lost || client.rejoined) return;
  client.rejoined = true;
  ++rejoined_;
}

/// Lines and pings, all short.
void Storm::read_frames(Client& client) {
  while (client.input.size() >= 2) {
    const std::size_t size = 2 + static_cast<unsigned char>(client.input[1]);
    const auto first = static_cast<unsigned char>(client.input[0]);
    if (client.input.size() < size) return;
    client.input.erase(0, size);
    if (first == 0x88) return end(client, milliseconds(0));
    if (first != 0x82 || !client.lost || client.served) continue;
    client.served = true;
    ++served_;
  }
}

void Storm::end(Client& client, milliseconds pause) {
  if (client.state == State::Following) {
    --following_;
    if (!client.lost) ++lost_;
    client.lost = true;
  }
  ::close(client.fd);
  client = {.state = State::Down,
            .fd = -1,
            .retry_at = Clock::now() + pause,
            .input = {},
            .lost = client.lost,
            .rejoined = client.rejoined,
            .served = client.served};
}

}  // namespace

void storm(const Arguments& arguments) {
  raise_descriptor_limit();
  const auto count = static_cast<std::size_t>(std::stoi(arguments.at(1)));
  Storm clients(std::stoi(arguments.at(0)), count, arguments.at(3), read_lines(arguments.at(4)));
  while (clients.following() < count) clients.step();
  std::printf("{\"sessions\": %zu}\n", count);
  std::fflush(stdout);
  while (clients.lost() == 0) clients.step();
  const auto begin = Clock::now();
  const std::size_t attempts_before = clients.attempts();
  double first = 0, last = 0;  // session that is there again
  while (clients.served() < count && seconds_since(begin) < std::stod(arguments.at(2))) {
    clients.step();
    if (clients.rejoined() == 0) first = seconds_since(begin);
    if (clients.rejoined() < count) last = seconds_since(begin);
  }
  std::printf(
      "{\"served\": %zu, \"seconds\": %.3f, \"first_seconds\": %.3f, \"last_seconds\": %.3f, "
      "\"attempts\": %zu, \"refusals\": %zu}\n",
      clients.served(), seconds_since(begin), first, last, clients.attempts() - attempts_before,
      clients.refusals());
}

}  // namespace load
