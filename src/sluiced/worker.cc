#include "sluiced/worker.h"

#include "net/tls_stream.h"

namespace sluice::sluiced {
namespace {

constexpr nanoseconds kHandshakeTimeout = seconds(10);

}  // namespace

Worker::Worker(net::EventLoop& loop, const gateway::Services& services,
               gateway::ConnectionLimit& connections, net::TlsCertificate* certificate,
               std::vector<net::Listener> listeners)
    : loop_(loop),
      services_(services),
      connections_(connections),
      certificate_(certificate),
      listeners_(std::move(listeners)),
      clients_(loop.executor(), services),
      accepting_(loop.executor()),
      tasks_(loop.executor()),
      ending_(loop.executor()) {}

void Worker::start() {
  for (net::Listener& listener : listeners_) accepting_.spawn("accept", accept(listener));
}

void Worker::stop_accepting(std::function<void()> stopped) {
  ending_.spawn("end accepting", end_accepting(std::move(stopped)));
}

net::Task<> Worker::end_accepting(std::function<void()> stopped) {
  accepting_.cancel();
  co_await accepting_.join();
  for (net::Listener& listener : listeners_) listener.close();
  stopped();
}

void Worker::stop(std::function<void()> stopped) { ending_.spawn("end", end(std::move(stopped))); }

net::Task<> Worker::end(std::function<void()> stopped) {
  accepting_.cancel();
  co_await accepting_.join();
  tasks_.cancel();
  co_await tasks_.join();
  co_await clients_.stop();
  stopped();
}

net::Task<> Worker::accept(net::Listener& listener) {
  // A dead peer is found even while the server itself holds the client back (contract section 10).
  const auto user_timeout =
      std::chrono::duration_cast<milliseconds>(services_.settings.idle_timeout);
  while (true) {
    std::function<bool()> has_room = [this] { return connections_.has_room(); };
    Result<std::unique_ptr<net::TcpStream>> stream =
        co_await listener.accept(services_.timers, std::move(has_room));
    if (!stream) co_return;
    gateway::ConnectionPlace place(connections_);
    (*stream)->set_user_timeout(user_timeout);
    if (certificate_ != nullptr) {
      tasks_.spawn("secure", secure(*std::move(stream), gateway::Newcomer(services_.activity),
                                    std::move(place)));
    } else {
      clients_.serve(*std::move(stream), std::move(place));
    }
  }
}

/// It counts as a newcomer of its own here until it is one of ClientServer's.
net::Task<> Worker::secure(std::unique_ptr<net::TcpStream> stream,
                           [[maybe_unused]] gateway::Newcomer newcomer,
                           gateway::ConnectionPlace place) {
  std::shared_ptr<const net::TlsContext> context = certificate_->current();
  Result<std::unique_ptr<net::TlsStream>> secured = co_await net::accept_tls(
      std::move(stream), std::move(context), services_.timers, kHandshakeTimeout);
  if (secured) clients_.serve(*std::move(secured), std::move(place));
}

}  // namespace sluice::sluiced
