#include "cli/terminal/interruptible.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "cli/terminal/blocking_io.h"
#include "net/timers.h"

namespace sluice::cli {
namespace {

constexpr int kForever = -1;
/// What a pipe or terminal takes without blocking once poll() has said that it takes something.
constexpr std::size_t kWriteBytes = 4096;

}  // namespace

Interruptible::Interruptible() {
  sigset_t set{};
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, signal);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC));
}

Result<> Interruptible::sleep_until(MonotonicTime time) {
  constexpr nanoseconds kLongestWait = std::chrono::hours(1);
  const net::SystemTimers clock;
  while (true) {
    const nanoseconds left = time - clock.now();
    if (left <= nanoseconds(0)) return {};
    const auto rounded = std::chrono::ceil<milliseconds>(std::min(left, kLongestWait));
    TRY_VOID(wait(-1, 0, static_cast<int>(rounded.count())));
  }
}

Result<std::string> Interruptible::read(int descriptor) {
  TRY_VOID(wait(descriptor, POLLIN, kForever));
  std::string block(kBlockBytes, '\0');
  const MutableBytes into = std::as_writable_bytes(std::span(block));
  TRY(const std::size_t count, read_some(descriptor, into));
  block.resize(count);
  return block;
}

Result<> Interruptible::write(int descriptor, std::string_view text) {
  while (!text.empty()) {
    TRY_VOID(wait(descriptor, POLLOUT, kForever));
    const std::string_view part = text.substr(0, kWriteBytes);
    TRY_VOID(write_all(descriptor, as_bytes(part)));
    text.remove_prefix(part.size());
  }
  return {};
}

/// Until the descriptor is ready, or so much time has passed.
Result<> Interruptible::wait(int descriptor, short events, int timeout_ms) {
  std::array<pollfd, 2> waiting{{{signals_.get(), POLLIN, 0}, {descriptor, events, 0}}};
  while (::poll(waiting.data(), waiting.size(), timeout_ms) < 0) {
    if (errno != EINTR) return fail(ErrorCode::Internal, "cannot wait");
  }
  if ((waiting[0].revents & POLLIN) == 0) return {};
  signalfd_siginfo arrived{};
  if (::read(signals_.get(), &arrived, sizeof arrived) == sizeof arrived) {
    signal_ = static_cast<int>(arrived.ssi_signo);
  }
  return fail(cancelled());
}

}  // namespace sluice::cli
