#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "load/commands.h"
#include "load/socket.h"

namespace load {
namespace {

/// A connection that a WebSocket begins and ends with; over TLS where there is a context.
class Session {
 public:
  Session(int port, SSL_CTX* context)
      : fd_(connect_to(port)), tls_(context == nullptr ? nullptr : connect_tls(context, fd_)) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (tls_ != nullptr) SSL_free(tls_);
    ::close(fd_);
  }

  void upgrade(const std::string& request) {
    send(request);
    std::size_t end = std::string::npos;
    while ((end = input_.find("\r\n\r\n")) == std::string::npos) receive();
    if (input_.compare(9, 3, "101") != 0) {
      std::fprintf(stderr, "load: expected 101, got: %s\n", input_.c_str());
      std::exit(1);
    }
    input_.erase(0, end + 4);
  }

  /// Until the server's Close, which is answered.
  void read_to_close() {
    while (true) {
      const std::optional<Frame> frame = next_frame();
      if (!frame) {
        receive();
        continue;
      }
      input_.erase(0, frame->size);
      if (frame->opcode == kClose) return send(std::string("\x88\x80\0\0\0\0", 6));
    }
  }

 private:
  static constexpr unsigned kClose = 8;
  struct Frame {
    unsigned opcode;
    std::size_t size;  // header included
  };

  /// Only short frames are expected here.
  std::optional<Frame> next_frame() const {
    if (input_.size() < 2) return std::nullopt;
    const std::size_t size = static_cast<unsigned char>(input_[1]);
    if (size >= 126) die("a long frame");
    if (input_.size() < 2 + size) return std::nullopt;
    return Frame{static_cast<unsigned>(input_[0]) & 15, 2 + size};
  }

  void send(const std::string& bytes) {
    if (tls_ == nullptr) return send_all(fd_, bytes.data(), bytes.size());
    if (SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size())) <= 0) die("TLS write");
  }

  void receive() {
    char bytes[4096];
    const ssize_t count =
        tls_ == nullptr ? ::recv(fd_, bytes, sizeof bytes, 0) : SSL_read(tls_, bytes, sizeof bytes);
    if (count <= 0) die("the server closed without a Close");
    input_.append(bytes, static_cast<std::size_t>(count));
  }

  int fd_;
  SSL* tls_;
  std::string input_;
};

}  // namespace

void roundtrips(const Arguments& arguments) {
  const int port = std::stoi(arguments.at(0));
  const int count = std::stoi(arguments.at(1));
  SSL_CTX* context = arguments.at(2) == "tls" ? SSL_CTX_new(TLS_client_method()) : nullptr;
  const std::string token = read_text_file(arguments.at(4));
  const std::string subprotocol = arguments.size() > 5 ? arguments[5] : "";
  const std::string request = upgrade_request(arguments.at(3), token, subprotocol);
  std::vector<double> milliseconds;
  for (int i = 0; i < count; ++i) {
    const auto begin = Clock::now();
    Session session(port, context);
    session.upgrade(request);
    session.read_to_close();
    milliseconds.push_back(seconds_since(begin) * 1e3);
  }
  std::printf("{\"p50\": %.3f, \"p99\": %.3f}\n", percentile(milliseconds, 0.5),
              percentile(milliseconds, 0.99));
}

}  // namespace load
