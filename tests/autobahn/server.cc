// The server's role: `autobahn_server` prints its URL and echoes until SIGTERM.
#include <csignal>
#include <cstdio>

#include "autobahn/echo.h"
#include "gateway/upgrade.h"
#include "http/server_connection.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/signals.h"
#include "net/task_group.h"

namespace sluice::autobahn {
namespace {

class Server {
 public:
  Server(net::EventLoop& loop, net::Listener listener)
      : loop_(loop),
        listener_(std::move(listener)),
        signals_(loop.executor(), {SIGTERM}),
        tasks_(loop.executor()) {}

  void run() {
    tasks_.spawn("accept", accept());
    net::TaskGroup life(loop_.executor());
    life.spawn("until the end", until_the_end());
    loop_.run();
  }

 private:
  net::Task<> until_the_end() {
    (void)co_await signals_.next();
    tasks_.cancel();
    co_await tasks_.join();
    loop_.stop();
  }

  net::Task<> accept() {
    while (true) {
      Result<std::unique_ptr<net::TcpStream>> stream = co_await listener_.accept(timers_);
      if (!stream) co_return;
      tasks_.spawn("client", serve(std::move(*stream)));
    }
  }

  /// As the gateway does it: the request, the 101, and a Connection on what is left.
  net::Task<> serve(std::unique_ptr<net::Stream> stream) {
    http::ServerConnection connection(std::move(stream), timers_, http::ServerLimits{});
    const Result<std::optional<http::RequestHead>> head = co_await connection.read_head();
    if (!head || !*head) co_return;
    const Result<gateway::Upgrade> upgrade = gateway::require_upgrade((*head)->fields, {});
    if (!upgrade) co_return;
    const http::ResponseHead accepted = gateway::switching_protocols(*upgrade);
    Result<http::Upgraded> upgraded = co_await connection.upgrade(accepted);
    if (!upgraded) co_return;
    ws::Connection::Options options;
    options.compression = upgrade->deflate;
    ws::Connection socket(loop_.executor(), std::move(upgraded->stream), options, timers_, random_,
                          std::move(upgraded->leftover));
    co_await echo(socket);
  }

  net::EventLoop& loop_;
  net::Listener listener_;
  net::SystemTimers timers_;
  OsRandom random_;
  net::SignalReader signals_;
  net::TaskGroup tasks_;
};

}  // namespace
}  // namespace sluice::autobahn

int main() {
  using namespace sluice;
  net::block_signals({SIGTERM});
  net::EventLoop loop;
  Result<net::Listener> listener =
      net::Listener::open(loop.executor(), {"127.0.0.1", 0}, net::Listener::Sharing::First);
  if (!listener) {
    std::fprintf(stderr, "%s\n", listener.error().message.c_str());
    return 1;
  }
  std::printf("ws://%s\n", listener->address().to_string().c_str());
  std::fflush(stdout);
  autobahn::Server(loop, std::move(*listener)).run();
  return 0;
}
