#include "sluiced/notifier.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"
#include "observe/log.h"

namespace sluice::sluiced {
namespace {

/// 0, or the errno of what hindered it.
int send_to(const std::string& name, std::string_view state) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(address.sun_path, name.data(), name.size());
  std::size_t length = offsetof(sockaddr_un, sun_path) + name.size();
  if (name.starts_with('@')) {
    address.sun_path[0] = '\0';
  } else {
    ++length;
  }
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return errno;
  const ssize_t sent =
      ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length));
  return sent < 0 ? errno : 0;
}

}  // namespace

Notifier Notifier::from_environment() {
  const char* const socket = std::getenv("NOTIFY_SOCKET");
  return Notifier(socket != nullptr ? socket : "");
}

void Notifier::tell(std::string_view state) const {
  if (socket_.empty()) return;
  const int problem = send_to(socket_, state);
  if (problem == 0) return;
  log(LogLevel::Warning, "the service manager can't be told",
      system_error(ErrorCode::Unavailable, "no notification", socket_, problem),
      {{"state", state}});
}

}  // namespace sluice::sluiced
