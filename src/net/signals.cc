#include "net/signals.h"

#include <sys/signalfd.h>

#include <csignal>

namespace sluice::net {
namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  return set;
}

UniqueFd open_signalfd(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  return UniqueFd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

}  // namespace

void block_signals(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

SignalReader::SignalReader(Executor executor, std::initializer_list<int> signals)
    : descriptor_(executor, open_signalfd(signals)) {}

Task<Result<int>> SignalReader::next() {
  while (true) {
    signalfd_siginfo info;
    if (::read(descriptor_.fd(), &info, sizeof info) == sizeof info) {
      co_return static_cast<int>(info.ssi_signo);
    }
    CO_TRY_VOID(co_await descriptor_.readable());
  }
}

}  // namespace sluice::net
