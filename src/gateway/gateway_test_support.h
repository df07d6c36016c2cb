// A gateway between its two neighbours: a client at the other end of a pipe, and a FakeBackend.
// Tokens are "Bearer <user>"; "expired" is refused, and the user "mallory" may do nothing. Time is
// virtual.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/client_server.h"
#include "testing/fake_backend.h"
#include "testing/memory_pipe.h"
#include "testing/seeded_random.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::gateway {

class FakeTokens final : public auth::TokenVerifier {
 public:
  net::Task<auth::Accepted<auth::Caller>> verify(std::string token) override {
    if (token == "expired") {
      co_return auth::refused(AuthenticationFailure::Expired, "token expired");
    }
    co_return auth::Caller{token, {}, expires_at};
  }
  WallTime expires_at = WallTime::max();
};

class FakeAuthorizer final : public auth::Authorizer {
 public:
  net::Task<Result<>> authorize(const auth::Caller& caller, workload::Verb verb,
                                std::string project) override {
    asked.push_back(caller.user + " " + std::string(workload::to_string(verb)) + " " + project);
    if (caller.user == "mallory") co_return fail(ErrorCode::PermissionDenied, "mallory may not");
    co_return Result<>{};
  }
  std::vector<std::string> asked;
};

class GatewayTest : public ::testing::Test {
 protected:
  GatewayTest() {
    settings.version = "0.1";
    settings.max_sessions = 3;
    settings.max_sessions_per_user = 2;
    backend.add_pod(kWorkload, "w-0-0", {"main"});
  }
  void TearDown() override {
    if (server) testing::run(loop, server->stop());
    run_until_idle();
  }

  /// One connection; what the server sends is collected in `received`.
  class Client {
   public:
    Client(net::EventLoop& loop, ClientServer& server) : pipe_(loop) {
      server.serve(std::move(pipe_.server));
    }
    void send(std::string_view bytes) {
      ASSERT_EQ(pipe_.client->try_write(as_bytes(bytes)).value_or(0), bytes.size());
    }
    /// Everything that has come so far.
    const std::string& received() {
      std::byte buffer[4096];
      while (true) {
        const auto count = pipe_.client->try_read(buffer);
        if (!count) {
          reset = true;
          return received_;
        }
        if (!*count) return received_;
        if (**count == 0) {
          ended = true;
          return received_;
        }
        received_ += as_text(Bytes(buffer).first(**count));
      }
    }
    /// The network breaks.
    void lose() { pipe_.reset(); }
    bool ended = false;  // the server closed, in order
    bool reset = false;

   private:
    testing::MemoryPipe pipe_;
    std::string received_;
  };

  ClientServer& gateway() {
    if (!server) server.emplace(loop.executor(), services);
    return *server;
  }
  void run_until_idle() { testing::run_until_idle(loop); }

  /// One request on a connection of its own; returns the whole answer.
  std::string exchange(std::string_view target, std::string_view fields = kAlice,
                       std::string_view method = "GET") {
    Client client(loop, gateway());
    client.send(std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" +
                std::string(fields) + "\r\n");
    run_until_idle();
    return client.received();
  }
  static std::string status_line(const std::string& answer) {
    return answer.substr(0, answer.find("\r\n"));
  }
  /// "404": the status of the answer.
  std::string status(std::string_view target, std::string_view fields = kAlice,
                     std::string_view method = "GET") {
    return exchange(target, fields, method).substr(9, 3);
  }

  static constexpr std::string_view kAlice = "Authorization: Bearer alice\r\n";
  static constexpr std::string_view kUpgrade =
      "Authorization: Bearer alice\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  static constexpr std::string_view kBase = "/cluster-api/api/v1/p/workloads/training/runai/w";
  const workload::WorkloadRef kWorkload{"p", workload::WorkloadType::Training,
                                        workload::Framework::Runai, "w"};

  net::EventLoop loop;
  testing::VirtualClock clock{loop};
  testing::SeededRandom random;
  testing::FakeBackend backend{loop.executor()};
  FakeTokens tokens;
  FakeAuthorizer authorizer;
  Settings settings;
  Metrics metrics;
  SessionLimits limits{settings, clock, metrics};
  int idle_calls = 0;
  Activity activity{[this] { ++idle_calls; }};
  std::atomic<Stage> stage = Stage::Ready;
  const Services services{settings, tokens, authorizer, backend, clock,   random,
                          metrics,  limits, activity,   stage,   nullptr, nullptr};
  std::optional<ClientServer> server;
};

}  // namespace sluice::gateway
