#include "net/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/eventfd.h>

#include <atomic>
#include <thread>

#include "net/current_executor.h"
#include "net/socket_address.h"

namespace sluice::net {
namespace {

/// Owned by the look-up's thread and by the task that waits for it: either may be the last.
struct Lookup {
  UniqueFd done{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::atomic<bool> finished{false};  // orders what follows between the two threads
  std::vector<std::string> addresses;
  std::string failure;
};

void look_up(const std::string& host, Lookup& lookup) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    lookup.failure = ::gai_strerror(error);
    return;
  }
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      lookup.addresses.emplace_back(text);
    }
  }
  ::freeaddrinfo(found);
}

}  // namespace

Task<Result<std::vector<std::string>>> resolve(std::string host) {
  if (parse_socket_address(host, 0)) co_return std::vector<std::string>{host};
  const auto lookup = std::make_shared<Lookup>();
  Descriptor done(co_await current_executor(), UniqueFd(::dup(lookup->done.get())));
  // getaddrinfo(3) can't be interrupted, so the thread is left to itself; it touches only `lookup`.
  std::thread([lookup, host] {
    look_up(host, *lookup);
    lookup->finished.store(true, std::memory_order_release);
    ::eventfd_write(lookup->done.get(), 1);
  }).detach();
  while (!lookup->finished.load(std::memory_order_acquire)) {
    CO_TRY_VOID(co_await done.readable());
  }
  if (lookup->addresses.empty()) {
    co_return fail(ErrorCode::Unavailable, "cannot resolve " + host + ": " + lookup->failure);
  }
  co_return std::move(lookup->addresses);
}

Task<Result<std::unique_ptr<TcpStream>>> connect_host(std::string host, std::uint16_t port) {
  CO_TRY(const std::vector<std::string> addresses, co_await resolve(host));
  Result<std::unique_ptr<TcpStream>> stream = fail(ErrorCode::Unavailable, "no address");
  for (const std::string& address : addresses) {
    stream = co_await connect_tcp(address, port);
    if (stream || stream.error().code == ErrorCode::Cancelled) break;
  }
  co_return stream;
}

}  // namespace sluice::net
