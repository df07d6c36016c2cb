#include "backend/local/process_protocol.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

namespace sluice::backend::local {
namespace {

constexpr std::size_t kMaxDescriptors = 6;

void append_number(std::string& out, std::size_t number) {
  const auto value = static_cast<std::uint32_t>(number);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size());
  out.append(text);
}

void append_list(std::string& out, const std::vector<std::string>& list) {
  append_number(out, list.size());
  for (const std::string& text : list) append_text(out, text);
}

void append_credentials(std::string& out, const std::optional<Credentials>& credentials) {
  out.push_back(static_cast<char>(credentials.has_value()));
  if (!credentials) return;
  append_number(out, credentials->uid);
  append_number(out, credentials->gid);
  append_number(out, credentials->groups.size());
  for (const gid_t group : credentials->groups) append_number(out, group);
}

/// Takes the parts off the front of the bytes; after the first failure everything fails.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint32_t number() {
    std::uint32_t value = 0;
    if (!take(sizeof value)) return 0;
    std::memcpy(&value, taken_.data(), sizeof value);
    return value;
  }
  std::string text() { return take(number()) ? std::string(taken_) : std::string(); }
  std::vector<std::string> list() {
    std::vector<std::string> texts;
    for (std::uint32_t left = number(); left > 0 && good_; --left) texts.push_back(text());
    return texts;
  }
  std::optional<Credentials> credentials() {
    if (byte() == 0) return std::nullopt;
    Credentials credentials;
    credentials.uid = number();
    credentials.gid = number();
    for (std::uint32_t left = number(); left > 0 && good_; --left) {
      credentials.groups.push_back(number());
    }
    return credentials;
  }
  std::uint8_t byte() { return take(1) ? static_cast<std::uint8_t>(taken_[0]) : 0; }
  bool complete() const { return good_ && rest_.empty(); }

 private:
  bool take(std::size_t size) {
    good_ = good_ && size <= rest_.size();
    if (!good_) return false;
    taken_ = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
  std::string_view taken_;
  bool good_ = true;
};

union ControlBuffer {
  char bytes[CMSG_SPACE(sizeof(int) * kMaxDescriptors)];
  cmsghdr alignment;
};

/// Takes ownership of every descriptor in the message.
std::vector<UniqueFd> take_descriptors(msghdr& message) {
  std::vector<UniqueFd> descriptors;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

}  // namespace

std::string serialize(const SpawnRequest& request) {
  std::string out;
  append_text(out, request.name);
  append_list(out, request.command);
  append_list(out, request.environment);
  append_text(out, request.working_directory);
  out.push_back(static_cast<char>(request.tty));
  out.push_back(static_cast<char>(request.end_policy));
  out.push_back(static_cast<char>(request.kill_rest));
  append_credentials(out, request.credentials);
  return out;
}

std::optional<SpawnRequest> parse_spawn_request(std::string_view bytes) {
  Reader reader(bytes);
  SpawnRequest request;
  request.name = reader.text();
  request.command = reader.list();
  request.environment = reader.list();
  request.working_directory = reader.text();
  request.tty = reader.byte() != 0;
  const std::uint8_t policy = reader.byte();
  request.kill_rest = reader.byte() != 0;
  request.credentials = reader.credentials();
  if (!reader.complete() || request.command.empty()) return std::nullopt;
  if (policy > static_cast<std::uint8_t>(EndPolicy::Leave)) return std::nullopt;
  request.end_policy = static_cast<EndPolicy>(policy);
  return request;
}

bool send_spawn_packet(int socket, int request_memfd, int control,
                       const SpawnDescriptors& descriptors) {
  std::array<int, kMaxDescriptors> fds{request_memfd, control};
  std::size_t count = 2;
  unsigned mask = 0;
  const auto add = [&](const UniqueFd& fd, unsigned bit) {
    if (!fd) return;
    mask |= bit;
    fds[count++] = fd.get();
  };
  add(descriptors.stdin, kHasStdin);
  add(descriptors.stdout, kHasStdout);
  add(descriptors.stderr, kHasStderr);
  add(descriptors.leash, kHasLeash);

  ControlBuffer buffer{};
  iovec data{.iov_base = &mask, .iov_len = sizeof mask};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = buffer.bytes;
  message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * count);
  std::memcpy(CMSG_DATA(header), fds.data(), sizeof(int) * count);
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

ReceiveResult receive_spawn_packet(int socket, SpawnPacket& packet) {
  unsigned mask = 0;
  ControlBuffer buffer{};
  iovec data{.iov_base = &mask, .iov_len = sizeof mask};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = buffer.bytes;
  message.msg_controllen = sizeof buffer.bytes;
  const ssize_t count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (count == 0) return ReceiveResult::EndOfFile;
  if (count < 0)
    return errno == EAGAIN || errno == EINTR ? ReceiveResult::Nothing : ReceiveResult::EndOfFile;
  std::vector<UniqueFd> fds = take_descriptors(message);
  const std::size_t expected = 2 + static_cast<std::size_t>(std::popcount(mask));
  if (count != sizeof mask || fds.size() != expected) return ReceiveResult::Nothing;
  std::size_t next = 2;
  packet.request_memfd = std::move(fds[0]);
  packet.control = std::move(fds[1]);
  if (mask & kHasStdin) packet.descriptors.stdin = std::move(fds[next++]);
  if (mask & kHasStdout) packet.descriptors.stdout = std::move(fds[next++]);
  if (mask & kHasStderr) packet.descriptors.stderr = std::move(fds[next++]);
  if (mask & kHasLeash) packet.descriptors.leash = std::move(fds[next++]);
  return ReceiveResult::Packet;
}

}  // namespace sluice::backend::local
