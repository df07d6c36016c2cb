#include "load/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace load {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void die(const std::string& what) {
  std::fprintf(stderr, "load: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int open_socket(std::size_t index, int flags) {
  constexpr std::size_t kSources = 8;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (fd < 0) die("socket");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // The port is chosen by connect(), which alone knows that it may serve for several peers.
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in source = loopback(0);
  source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<in_addr_t>(index % kSources));
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) die("bind");
  return fd;
}

int connect_to(int port, std::size_t index) {
  const int fd = open_socket(index);
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    die("connect");
  return fd;
}

int listen_on(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("bind");
  if (::listen(fd, 1024) != 0) die("listen");
  return fd;
}

void send_all(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t count = ::send(fd, bytes, size, MSG_NOSIGNAL);
    if (count <= 0) die("send");
    bytes += count;
    size -= static_cast<std::size_t>(count);
  }
}

std::size_t discard(int fd, std::size_t size) {
  const ssize_t count = ::recv(fd, nullptr, size, MSG_TRUNC);
  if (count < 0) die("recv");
  return static_cast<std::size_t>(count);
}

SSL* connect_tls(SSL_CTX* context, int fd) {
  SSL* tls = SSL_new(context);
  SSL_set_fd(tls, fd);
  if (SSL_connect(tls) != 1) die("TLS handshake");
  return tls;
}

std::string upgrade_request(const std::string& path, const std::string& token,
                            const std::string& subprotocol) {
  std::string request =
      "GET " + path +
      " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  if (!token.empty()) request += "Authorization: Bearer " + token + "\r\n";
  if (!subprotocol.empty()) request += "Sec-WebSocket-Protocol: " + subprotocol + "\r\n";
  return request + "\r\n";
}

void upgrade(int fd, const std::string& path, const std::string& token, int expected) {
  const std::string request = upgrade_request(path, token);
  send_all(fd, request.data(), request.size());
  std::string head;
  char byte = 0;
  while (!head.ends_with("\r\n\r\n")) {
    if (::recv(fd, &byte, 1, 0) != 1) die("the server closed during the handshake");
    head += byte;
  }
  if (head.compare(9, 3, std::to_string(expected)) != 0) {
    std::fprintf(stderr, "load: expected %d, got: %s\n", expected, head.c_str());
    std::exit(1);
  }
}

std::string client_frame(std::size_t size) {
  std::string frame = "\x82";
  if (size < 126) {
    frame += static_cast<char>(0x80 | size);
  } else if (size < 65536) {
    frame += static_cast<char>(0x80 | 126);
    for (int shift = 8; shift >= 0; shift -= 8) frame += static_cast<char>(size >> shift);
  } else {
    frame += static_cast<char>(0x80 | 127);
    for (int shift = 56; shift >= 0; shift -= 8) frame += static_cast<char>(size >> shift);
  }
  constexpr char kMask[4] = {0x12, 0x34, 0x56, 0x78};
  frame.append(kMask, 4);
  for (std::size_t i = 0; i < size; ++i) frame += kMask[i % 4];
  return frame;
}

double percentile(std::vector<double>& samples, double share) {
  std::sort(samples.begin(), samples.end());
  return samples.at(static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1)));
}

std::string read_text_file(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "r");
  if (file == nullptr) die(path);
  std::string text;
  char buffer[65536];
  for (std::size_t count; (count = std::fread(buffer, 1, sizeof buffer, file)) > 0;) {
    text.append(buffer, count);
  }
  std::fclose(file);
  return text;
}

std::vector<std::string> read_lines(const std::string& path) {
  std::istringstream text(read_text_file(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

}  // namespace load
