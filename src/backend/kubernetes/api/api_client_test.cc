#include "backend/kubernetes/api/api_client.h"

#include <gmock/gmock.h>

#include "backend/kubernetes/api/api_client_test_support.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Silence;

constexpr std::string_view kExec[] = {"v5.channel.k8s.io", "v4.channel.k8s.io"};

class ApiClientTest : public ApiClientFixture {
 protected:
  Result<http::Response> request(ApiRequest request) {
    return testing::run(loop_, client_.request(std::move(request)));
  }
  Result<std::unique_ptr<ApiStream>> stream(const std::string& path) {
    return testing::run(loop_, client_.stream({.path = path}));
  }
  Result<ApiWebSocket> connect_websocket(const std::string& path) {
    return testing::run(loop_, client_.connect_websocket({.path = path}, kExec));
  }
  Result<std::string> read(ApiStream& stream) {
    const Result<Bytes> bytes = testing::run(loop_, stream.read());
    if (!bytes) return fail(bytes.error());
    return std::string(as_text(*bytes));
  }
  /// Starts a request and lets it run as far as it gets.
  void start(ApiRequest request) {
    group_.spawn("request", testing::store_result(client_.request(std::move(request)), result_));
    testing::run_until_idle(loop_);
  }
  /// Each call gets the next of these statuses, the last one for ever.
  void answer_in_turn(const std::string& path, std::vector<http::Response> responses) {
    server_.on(path, [responses, next = std::size_t{0}](const testing::ApiCall&) mutable {
      return responses[std::min(next++, responses.size() - 1)];
    });
  }

  net::TaskGroup group_{loop_.executor()};
  std::optional<Result<http::Response>> result_;
};

http::Response busy(const std::string& retry_after) {
  http::Response response{{429, {}}, "busy"};
  response.head.fields.add("Retry-After", retry_after);
  return response;
}

TEST_F(ApiClientTest, RequestSaysWhereToAndWhoWeAre) {
  server_.answer("/prefix/api/v1/pods", 200, "{}");
  access_.path_prefix = "/prefix";
  const auto response =
      request({.path = "/api/v1/pods", .query = "limit=1", .accept = "application/yaml"});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "{}");
  const testing::ApiCall& call = server_.last_call();
  EXPECT_EQ(call.method, "GET");
  EXPECT_EQ(call.query, "limit=1");
  EXPECT_EQ(call.fields.find("Host"), "cluster.test");
  EXPECT_EQ(call.fields.find("Authorization"), "Bearer token");
  EXPECT_EQ(call.fields.find("Accept"), "application/yaml");
  EXPECT_EQ(call.fields.find("Content-Length"), std::nullopt);
}

TEST_F(ApiClientTest, WithoutATokenNoAuthorizationIsSent) {
  access_.token = std::nullopt;
  ASSERT_TRUE(request({.path = "/"}));
  EXPECT_EQ(server_.last_call().fields.find("Authorization"), std::nullopt);
}

TEST_F(ApiClientTest, BodyIsJson) {
  ASSERT_TRUE(request({.method = "POST", .path = "/", .body = "{\"a\":1}"}));
  EXPECT_EQ(server_.last_call().method, "POST");
  EXPECT_EQ(server_.last_call().body, "{\"a\":1}");
  EXPECT_EQ(server_.last_call().fields.find("Content-Type"), "application/json");
}

TEST_F(ApiClientTest, ImpersonatedUserIsNamed) {
  ASSERT_TRUE(request({.path = "/", .as = Impersonation{.user = "jane", .groups = {"a", "b"}}}));
  const http::FieldMap& fields = server_.last_call().fields;
  EXPECT_EQ(fields.find("Impersonate-User"), "jane");
  EXPECT_THAT(fields.find_all("Impersonate-Group"), ElementsAre("a", "b"));
}

TEST_F(ApiClientTest, NobodyIsNotImpersonated) {
  const auto response = request({.path = "/", .as = Impersonation{}});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::InvalidArgument);
  EXPECT_TRUE(server_.calls().empty());
}

TEST_F(ApiClientTest, ConnectionIsKeptForTheNextRequest) {
  server_.set_fragment(1);
  ASSERT_TRUE(request({.path = "/1"}));
  ASSERT_TRUE(request({.path = "/2"}));
  EXPECT_EQ(server_.connections_made(), 1U);
}

TEST_F(ApiClientTest, RequestsAtTheSameTimeHaveAConnectionEach) {
  server_.on("/", [](const testing::ApiCall&) { return Silence::Hang; });
  start({.path = "/"});
  ASSERT_TRUE(request({.path = "/other"}));
  EXPECT_EQ(server_.connections_made(), 2U);
  group_.cancel();
  testing::run_until_empty(loop_, group_);
}

TEST_F(ApiClientTest, ManyWhoAskAtOnceShareAFewConnections) {
  ApiClient shared(access_, clock_, random_, 2);
  server_.answer("/", 200, "{}");
  std::vector<std::optional<Result<http::Response>>> results(50);
  for (auto& result : results) {
    group_.spawn("request", testing::store_result(shared.request({.path = "/"}), result));
  }
  testing::run_until_empty(loop_, group_);
  for (const auto& result : results) EXPECT_TRUE(*result);
  EXPECT_LE(server_.connections_made(), ConnectionPool::kMaxPerLoop);
}

TEST_F(ApiClientTest, RequestsBeyondThoseThatMayBeUnansweredWaitAsLongAsForAnAnswer) {
  ApiClient shared(access_, clock_, random_, 2);
  server_.on("/", [](const testing::ApiCall&) { return Silence::Hang; });
  std::vector<std::optional<Result<http::Response>>> results(3);
  for (auto& result : results) {
    group_.spawn("request", testing::store_result(shared.request({.path = "/"}), result));
  }
  testing::run_until_idle(loop_);
  EXPECT_EQ(server_.calls().size(), 2U);
  clock_.advance(ApiClient::kPatience);
  testing::run_until_empty(loop_, group_);
  EXPECT_EQ(results[2]->error().code, ErrorCode::Unavailable);
  EXPECT_TRUE(testing::run(loop_, shared.request({.path = "/other"})));
}

TEST_F(ApiClientTest, RequestWhoseBodyIsUnderWayKeepsNobodyWaiting) {
  ApiClient shared(access_, clock_, random_, 1);
  const auto body = server_.stream("/log");
  const auto stream = testing::run(loop_, shared.stream({.path = "/log"}));
  ASSERT_TRUE(stream);
  EXPECT_TRUE(testing::run(loop_, shared.request({.path = "/other"})));
}

TEST_F(ApiClientTest, ConnectionThatWaitedTooLongIsNotUsed) {
  ASSERT_TRUE(request({.path = "/"}));
  clock_.advance(ConnectionPool::kMaxIdle + seconds(1));
  ASSERT_TRUE(request({.path = "/"}));
  EXPECT_EQ(server_.connections_made(), 2U);
}

TEST_F(ApiClientTest, ConnectionThatTheServerClosedIsNotUsed) {
  ASSERT_TRUE(request({.path = "/"}));
  server_.close_idle_connections();
  ASSERT_TRUE(request({.method = "POST", .path = "/", .body = "{}"}));
  EXPECT_EQ(server_.connections_made(), 2U);
}

TEST_F(ApiClientTest, GetThatMeetsAClosingKeptConnectionIsSentAgain) {
  ASSERT_TRUE(request({.path = "/"}));
  int calls = 0;
  server_.on("/x", [&](const testing::ApiCall&) {
    return ++calls == 1 ? testing::ApiAnswer(Silence::HangUp) : http::Response{{200, {}}, "ok"};
  });
  const auto response = request({.path = "/x"});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "ok");
  EXPECT_EQ(server_.connections_made(), 2U);
}

TEST_F(ApiClientTest, OnlyAGetOnAKeptConnectionIsSentAgain) {
  server_.on("/x", [](const testing::ApiCall&) { return Silence::HangUp; });
  EXPECT_EQ(request({.path = "/x"}).error().code, ErrorCode::Unavailable);  // on a fresh one
  EXPECT_EQ(server_.calls().size(), 1U);
  ASSERT_TRUE(request({.path = "/"}));
  const auto response = request({.method = "POST", .path = "/x", .body = "{}"});
  EXPECT_EQ(response.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(server_.calls().size(), 3U);
}

TEST_F(ApiClientTest, BusyServerIsAskedAgainWhenItWantsToBe) {
  answer_in_turn("/", {busy("2"), busy("3"), {{200, {}}, "ok"}});
  start({.path = "/"});
  clock_.advance(milliseconds(4'999));
  EXPECT_EQ(server_.calls().size(), 2U);
  clock_.advance(milliseconds(1));
  testing::run_until_empty(loop_, group_);
  ASSERT_TRUE(result_ && *result_);
  EXPECT_EQ((*result_)->body, "ok");
  EXPECT_EQ(server_.connections_made(), 1U);
}

TEST_F(ApiClientTest, BusyServerIsNotAskedForEver) {
  answer_in_turn("/", {busy("0")});
  const auto response = request({.path = "/"});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->head.status, 429U);
  EXPECT_EQ(server_.calls().size(), 6U);
}

TEST_F(ApiClientTest, PauseBeyondTheDeadlineIsNotWaitedFor) {
  answer_in_turn("/", {busy("30")});
  const auto response = request({.path = "/"});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->head.status, 429U);
}

TEST_F(ApiClientTest, RefusedCredentialsAreFetchedAnewOnce) {
  answer_in_turn("/", {{{401, {}}, ""}, {{200, {}}, "ok"}});
  const auto response = request({.path = "/"});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "ok");
  EXPECT_EQ(access_.renewals, 1);

  answer_in_turn("/", {{{401, {}}, ""}});
  EXPECT_EQ(request({.path = "/"})->head.status, 401U);
  EXPECT_EQ(access_.renewals, 2);
}

TEST_F(ApiClientTest, SilentServerIsGivenUpAfterThirtySeconds) {
  server_.on("/", [](const testing::ApiCall&) { return Silence::Hang; });
  start({.path = "/"});
  clock_.advance(ApiClient::kPatience - milliseconds(1));
  EXPECT_FALSE(result_);
  clock_.advance(milliseconds(1));
  testing::run_until_empty(loop_, group_);
  ASSERT_TRUE(result_ && !*result_);
  EXPECT_EQ(result_->error().message, "the cluster's API server does not answer: timed out");
}

TEST_F(ApiClientTest, CancelledRequestEndsAtOnce) {
  server_.on("/", [](const testing::ApiCall&) { return Silence::Hang; });
  start({.path = "/"});
  group_.cancel();
  testing::run_until_empty(loop_, group_);
  ASSERT_TRUE(result_ && !*result_);
  EXPECT_EQ(result_->error().code, ErrorCode::Cancelled);
}

TEST_F(ApiClientTest, FailureToConnectIsPassedOn) {
  access_.failure = Error{ErrorCode::Unavailable, "no route"};
  EXPECT_EQ(request({.path = "/"}).error(), *access_.failure);
}

TEST_F(ApiClientTest, JsonIsParsedAndARefusalIsAnError) {
  server_.answer("/good", 200, R"({"a":1})");
  server_.answer("/bad", 200, "{");
  const auto good = testing::run(loop_, client_.get_json({.path = "/good"}));
  ASSERT_TRUE(good);
  EXPECT_EQ(good->at("a").as_int64(), 1);
  const auto bad = testing::run(loop_, client_.get_json({.path = "/bad"}));
  EXPECT_EQ(bad.error().code, ErrorCode::Unavailable);
  const auto missing = testing::run(loop_, client_.get_json({.path = "/none"}));
  EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
  EXPECT_EQ(missing.error().message, "the server could not find the requested resource");
}

TEST_F(ApiClientTest, StreamGivesTheBodyAsItComes) {
  const auto body = server_.stream("/watch");
  auto watch = stream("/watch");
  ASSERT_TRUE(watch) << watch.error().message;
  EXPECT_EQ((*watch)->head().status, 200U);
  body->write("one");
  EXPECT_EQ(*read(**watch), "one");
  clock_.advance(std::chrono::hours(2));  // no deadline behind the head
  body->write("two");
  EXPECT_EQ(*read(**watch), "two");
  body->end();
  EXPECT_EQ(*read(**watch), "");
  EXPECT_EQ(*read(**watch), "");
}

TEST_F(ApiClientTest, StreamThatIsCutIsUnavailable) {
  const auto body = server_.stream("/watch");
  auto watch = stream("/watch");
  ASSERT_TRUE(watch);
  body->cut();
  EXPECT_EQ(read(**watch).error().code, ErrorCode::Unavailable);
}

TEST_F(ApiClientTest, DroppedStreamEndsTheRequest) {
  const auto body = server_.stream("/watch");
  auto watch = stream("/watch");
  ASSERT_TRUE(watch);
  EXPECT_FALSE(body->is_dropped());
  watch->reset();
  EXPECT_TRUE(body->is_dropped());
}

TEST_F(ApiClientTest, RefusedStreamIsAnError) {
  EXPECT_EQ(stream("/none").error().code, ErrorCode::NotFound);
  EXPECT_EQ(stream("/none").error().code, ErrorCode::NotFound);
  EXPECT_EQ(server_.connections_made(), 1U);
}

net::Task<Result<std::string>> receive_text(ws::Connection& socket) {
  std::string text;
  while (true) {
    CO_TRY(const ws::Received received, co_await socket.receive());
    const auto* piece = std::get_if<ws::MessagePiece>(&received);
    if (piece == nullptr) co_return fail(ErrorCode::Unavailable, "closed");
    text += as_text(piece->payload);
    if (piece->ends_message) co_return text;
  }
}

TEST_F(ApiClientTest, WebSocketOffersTheSubprotocolsInOneLine) {
  const auto server = server_.websocket("/exec", "v4.channel.k8s.io");
  auto socket = connect_websocket("/exec");
  ASSERT_TRUE(socket) << socket.error().message;
  EXPECT_EQ(socket->subprotocol, "v4.channel.k8s.io");
  EXPECT_THAT(server_.last_call().fields.find_all("Sec-WebSocket-Protocol"),
              ElementsAre("v5.channel.k8s.io, v4.channel.k8s.io"));
  const std::string large(32_KiB, 'x');
  ASSERT_TRUE(testing::run(loop_, socket->socket->send(ws::Opcode::Binary, as_bytes(large))));
  EXPECT_TRUE(testing::run(loop_, receive_text(*server->connection)) == large);
  ASSERT_TRUE(
      testing::run(loop_, server->connection->send(ws::Opcode::Binary, as_bytes("answer"))));
  EXPECT_EQ(testing::run(loop_, receive_text(*socket->socket)), "answer");
}

TEST_F(ApiClientTest, WebSocketAcceptsAnything) {
  const auto server = server_.websocket("/exec", "v5.channel.k8s.io");
  ASSERT_TRUE(connect_websocket("/exec"));
  EXPECT_THAT(server_.last_call().fields.find_all("Accept"), ElementsAre("*/*"));
}

TEST_F(ApiClientTest, WebSocketTakesNoKeptConnection) {
  ASSERT_TRUE(request({.path = "/"}));
  server_.websocket("/exec", "v5.channel.k8s.io");
  ASSERT_TRUE(connect_websocket("/exec"));
  EXPECT_EQ(server_.connections_made(), 2U);
}

TEST_F(ApiClientTest, RefusedUpgradeIsAnError) {
  EXPECT_EQ(connect_websocket("/none").error().code, ErrorCode::NotFound);
  server_.answer("/denied", 403, R"({"message":"pods/exec is forbidden"})");
  EXPECT_EQ(connect_websocket("/denied").error().code, ErrorCode::PermissionDenied);
  server_.answer("/plain", 200, "{}");
  EXPECT_EQ(connect_websocket("/plain").error().code, ErrorCode::Unavailable);
}

TEST_F(ApiClientTest, EmptyRefusalOfAnUpgradeIsNoMissingPermission) {
  server_.answer("/exec", 403, "");
  const auto socket = connect_websocket("/exec");
  EXPECT_EQ(socket.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(socket.error().message, HasSubstr("subprotocols"));
}

TEST_F(ApiClientTest, SubprotocolThatWasNotOfferedIsAnError) {
  server_.websocket("/exec", "v1.example");
  EXPECT_EQ(connect_websocket("/exec").error().code, ErrorCode::Unavailable);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
