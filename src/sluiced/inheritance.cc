#include "sluiced/inheritance.h"

#include <fcntl.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::sluiced {
namespace {

constexpr std::int64_t kMostSockets = 4096;

std::optional<std::string> take_variable(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  std::string taken = value;
  ::unsetenv(name);
  return taken;
}

/// The next name of a list with colons between.
std::string_view take_name(std::string_view& names) {
  const std::string_view name = names.substr(0, names.find(':'));
  names.remove_prefix(std::min(names.size(), name.size() + 1));
  return name;
}

/// Ours from now on, and of no program that we start. Errors: InvalidArgument.
Result<UniqueFd> own(std::int64_t descriptor) {
  UniqueFd fd(static_cast<int>(descriptor));
  if (::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) == 0) return fd;
  (void)fd.release();
  return fail(ErrorCode::InvalidArgument,
              fmt::format("the environment tells of descriptor {}, which isn't open", descriptor));
}

/// Whether a socket may be for the address with this name, as far as the socket's own name tells.
bool is_meant_for(std::string_view name, const net::ListenAddress& address,
                  std::string_view candidate) {
  // One that is named for admin is for nobody else, whatever its port.
  if (candidate == kAdminSocket) return name == kAdminSocket;
  // Any other is for admin only where its port says so.
  if (name == kAdminSocket) return address.port != 0;
  return true;
}

}  // namespace

Result<Inheritance> Inheritance::take() {
  Inheritance taken;
  const std::optional<std::string> count = take_variable("LISTEN_FDS");
  const std::optional<std::string> names = take_variable("LISTEN_FDNAMES");
  const std::optional<std::string> pid = take_variable("LISTEN_PID");
  const std::optional<std::string> predecessor = take_variable(kPredecessorVariable);
  const std::optional<std::string> held = take_variable(kHeldVariable);
  const bool meant_for_us = predecessor || (pid && parse_int64(*pid) == ::getpid());
  if (!count || !meant_for_us) return taken;  // it was for one of our ancestors
  const std::optional<std::int64_t> number = parse_int64(*count);
  if (!number || *number < 0 || *number > kMostSockets) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("LISTEN_FDS: expected a number, got \"{}\"", *count));
  }
  TRY_VOID(taken.take_sockets(*number, names.value_or("")));
  taken.held_ = taken.had_sockets_ && (held || !predecessor);
  if (!predecessor) return taken;
  TRY(taken.predecessor, own(parse_int64(*predecessor).value_or(-1)));
  return taken;
}

Result<> Inheritance::take_sockets(std::int64_t count, std::string_view names) {
  for (std::int64_t i = 0; i < count; ++i) {
    TRY(UniqueFd fd, own(kFirstSocket + i));
    TRY(net::ListenAddress address, net::listening_address(fd.get()));
    sockets_.push_back({std::move(fd), std::move(address), std::string(take_name(names))});
  }
  had_sockets_ = !sockets_.empty();
  return {};
}

std::vector<UniqueFd> Inheritance::claim(const net::ListenAddress& address, std::string_view name) {
  net::ListenAddress wanted = address;
  std::vector<UniqueFd> claimed;
  for (Socket& candidate : sockets_) {
    if (!is_meant_for(name, address, candidate.name)) continue;
    if (!wanted.is_met_by(candidate.address)) continue;
    wanted.port = candidate.address.port;
    claimed.push_back(std::move(candidate.socket));
  }
  std::erase_if(sockets_, [](const Socket& candidate) { return !candidate.socket; });
  return claimed;
}

std::vector<net::ListenAddress> Inheritance::close_unclaimed() {
  std::vector<net::ListenAddress> addresses;
  for (const Socket& socket : sockets_) addresses.push_back(socket.address);
  sockets_.clear();
  return addresses;
}

}  // namespace sluice::sluiced
