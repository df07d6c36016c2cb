// What the load programs share: plain sockets, WebSocket heads, time. Nothing of sluice's own code,
// so that a defect there can't flatter a measurement.
#pragma once

#include <netinet/in.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <openssl/ssl.h>

namespace load {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const std::string& what);
double seconds_since(Clock::time_point begin);

/// As many descriptors as the system lets us have.
void raise_descriptor_limit();
/// A socket for a connection to 127.0.0.1, with TCP_NODELAY. The `index`-th connection comes from
/// one of several loopback addresses, since one alone has only so many ports.
int open_socket(std::size_t index, int flags = 0);
sockaddr_in loopback(int port);
/// A blocking TCP connection to 127.0.0.1.
int connect_to(int port, std::size_t index = 0);
/// A listening socket on 127.0.0.1.
int listen_on(int port);
void send_all(int fd, const char* bytes, std::size_t size);
/// Discards up to `size` bytes in the kernel, without copying; 0 at the end of the stream.
std::size_t discard(int fd, std::size_t size);

/// The TLS side of a connection, whose peer's certificate is not looked at.
SSL* connect_tls(SSL_CTX* context, int fd);

/// The request that upgrades to a WebSocket; an empty token or subprotocol is not sent.
std::string upgrade_request(const std::string& path, const std::string& token,
                            const std::string& subprotocol = "");
/// Sends it and reads the answer's head, byte by byte so that nothing behind it is taken; dies
/// unless the status is `expected`.
void upgrade(int fd, const std::string& path, const std::string& token, int expected = 101);

/// A masked binary frame (RFC 6455 5.2) of `size` zero bytes.
std::string client_frame(std::size_t size);

/// The value below which `share` (0..1) of the samples lie. Sorts them.
double percentile(std::vector<double>& samples, double share);

std::string read_text_file(const std::string& path);
std::vector<std::string> read_lines(const std::string& path);

}  // namespace load
