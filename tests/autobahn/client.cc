// The client's role: `autobahn_client PORT AGENT` goes through all cases that the server on
// this port of loopback has, and tells it to write its report.
#include <cstdio>

#include "autobahn/echo.h"
#include "base/text.h"
#include "http/client_connection.h"
#include "net/event_loop.h"
#include "net/task_group.h"
#include "net/tcp_stream.h"
#include "ws/client_upgrade.h"

namespace sluice::autobahn {
namespace {

class Client {
 public:
  Client(net::EventLoop& loop, std::uint16_t port, std::string agent)
      : loop_(loop), port_(port), agent_(std::move(agent)) {}

  /// False: the server could not be understood.
  bool run() {
    net::TaskGroup tasks(loop_.executor());
    tasks.spawn("cases", run_cases());
    loop_.run();
    if (!outcome_) std::fprintf(stderr, "%s\n", outcome_.error().message.c_str());
    return outcome_.has_value();
  }

 private:
  net::Task<> run_cases() {
    outcome_ = co_await try_cases();
    loop_.stop();
  }

  net::Task<Result<>> try_cases() {
    CO_TRY(const std::int64_t count, co_await case_count());
    const std::string agent = "agent=" + agent_;
    for (std::int64_t number = 1; number <= count; ++number) {
      std::string target = "/runCase?case=" + std::to_string(number) + "&" + agent;
      CO_TRY_VOID(co_await visit(std::move(target)));
    }
    std::string target = "/updateReports?" + agent;
    co_return co_await visit(std::move(target));
  }

  /// The server says it in a message.
  net::Task<Result<std::int64_t>> case_count() {
    std::string target = "/getCaseCount";
    CO_TRY(const std::unique_ptr<ws::Connection> socket, co_await open(std::move(target)));
    CO_TRY(const ws::Received received, co_await socket->receive());
    const auto* piece = std::get_if<ws::MessagePiece>(&received);
    const auto count = piece ? parse_int64(as_text(piece->payload)) : std::nullopt;
    if (!count) co_return fail(ErrorCode::Unavailable, "the server did not say how many cases");
    co_return *count;
  }

  net::Task<Result<>> visit(std::string target) {
    CO_TRY(const std::unique_ptr<ws::Connection> socket, co_await open(std::move(target)));
    co_await echo(*socket);
    co_return Result<>{};
  }

  /// As the command line does it, and with an offer to compress.
  net::Task<Result<std::unique_ptr<ws::Connection>>> open(std::string target) {
    const std::string host = "127.0.0.1";
    CO_TRY(std::unique_ptr<net::TcpStream> stream, co_await net::connect_tcp(host, port_));
    http::ClientConnection connection(std::move(stream));
    const std::string key = ws::make_key(random_);
    http::ClientRequest request{.target = std::move(target)};
    request.fields.add("Host", host + ":" + std::to_string(port_));
    ws::add_upgrade(request.fields, key, {});
    request.fields.add("Sec-WebSocket-Extensions", std::string(ws::kDeflateOffer));
    CO_TRY(const http::ResponseHead answer, co_await connection.send(std::move(request)));
    CO_TRY_VOID(ws::check_upgrade(answer, key, {}));
    ws::Connection::Options options{.role = ws::Role::Client};
    CO_TRY(options.compression,
           ws::accepted_deflate(answer.fields.find_all("Sec-WebSocket-Extensions")));
    http::Upgraded upgraded = connection.upgrade();
    co_return std::make_unique<ws::Connection>(loop_.executor(), std::move(upgraded.stream),
                                               options, timers_, random_,
                                               std::move(upgraded.leftover));
  }

  net::EventLoop& loop_;
  std::uint16_t port_;
  std::string agent_;
  net::SystemTimers timers_;
  OsRandom random_;
  Result<> outcome_;
};

}  // namespace
}  // namespace sluice::autobahn

int main(int argc, char** argv) {
  const auto port = argc == 3 ? sluice::parse_int64(argv[1]) : std::nullopt;
  if (!port) {
    std::fprintf(stderr, "usage: autobahn_client PORT AGENT\n");
    return 2;
  }
  sluice::net::EventLoop loop;
  sluice::autobahn::Client client(loop, static_cast<std::uint16_t>(*port), argv[2]);
  return client.run() ? 0 : 1;
}
