#include "sluiced/admin_listener.h"

#include <utility>

namespace sluice::sluiced {

AdminListener::AdminListener(net::EventLoop& loop, const gateway::Services& services,
                             net::Listener listener)
    : timers_(services.timers),
      listener_(std::move(listener)),
      server_(loop.executor(), services),
      tasks_(loop.executor()) {}

void AdminListener::start() { tasks_.spawn("accept admin", accept()); }

net::Task<> AdminListener::stop_accepting() {
  tasks_.cancel();
  co_await tasks_.join();
  listener_.close();
}

net::Task<> AdminListener::stop() {
  co_await stop_accepting();
  co_await server_.stop();
}

net::Task<> AdminListener::accept() {
  while (true) {
    Result<std::unique_ptr<net::TcpStream>> stream = co_await listener_.accept(timers_);
    if (!stream) co_return;
    server_.serve(*std::move(stream));
  }
}

}  // namespace sluice::sluiced
