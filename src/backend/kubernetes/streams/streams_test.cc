#include "backend/kubernetes/streams/streams.h"

#include <gmock/gmock.h>

#include "backend/kubernetes/api/api_client_test_support.h"
#include "backend/kubernetes/cache/node_start.h"
#include "backend/kubernetes/streams/spdy_framing.h"
#include "backend/kubernetes/streams/stream_test_support.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::HasSubstr;
using testing::run;

constexpr const char* kExec = "/api/v1/namespaces/runai-p/pods/job-0-0/exec";
constexpr const char* kAttach = "/api/v1/namespaces/runai-p/pods/job-0-0/attach";
constexpr const char* kPortForward = "/api/v1/namespaces/runai-p/pods/job-0-0/portforward";

class StreamsTest : public ApiClientFixture {
 protected:
  StreamsTest() {
    pod.namespace_name = "runai-p";
    pod.name = "job-0-0";
    pod.uid = "uid";
    pod.phase = PodPhase::Running;
    pod.node = "node";
    pod.containers = {{.name = "main",
                       .state = ContainerState::Running,
                       .stdin = true,
                       .container_id = "containerd://1",
                       .reason = {},
                       .exit_code = {}}};
  }
  ~StreamsTest() override {
    run(loop_, tasks.stop());
    testing::run_until_idle(loop_);
  }

  StreamServices services() { return {client_, tasks, clock_, holds}; }
  std::unique_ptr<PodWatch> watch() {
    return watches.watch(std::make_shared<const PodRecord>(pod), loop_.executor());
  }
  Result<std::unique_ptr<RemoteProcess>> exec(ExecOptions options, std::string container = "main") {
    return run(loop_, open_exec(services(), watch(), std::move(container), std::move(options), as));
  }
  Result<std::unique_ptr<RemoteProcess>> attach(AttachOptions options) {
    return run(loop_, open_attach(services(), watch(), "main", options, as));
  }
  Result<std::unique_ptr<PortStream>> forward(std::uint16_t port) {
    return run(loop_, open_port(services(), watch(), port, as));
  }
  ErrorCode refusal() {
    const auto process = exec({.command = {"true"}, .streams = {.size = {}}});
    return process ? ErrorCode::Internal : process.error().code;
  }

  PodWatchRegistry watches;
  LoopTasks tasks{{&loop_}};
  StdinHolds holds;
  PodRecord pod;
  std::optional<Impersonation> as;
};

TEST_F(StreamsTest, ExecAsksForWhatTheClientWants) {
  server_.websocket(kExec, "v5.channel.k8s.io");
  ASSERT_TRUE(exec({.command = {"ls"}, .streams = {.stdin = true, .stderr = false, .size = {}}}));
  EXPECT_EQ(server_.last_call().query,
            "container=main&stdin=true&stdout=true&stderr=false&tty=false&command=ls");
  EXPECT_EQ(server_.last_call().fields.find("Sec-WebSocket-Protocol"),
            "v5.channel.k8s.io, v4.channel.k8s.io");
}

TEST_F(StreamsTest, ArgumentsSurviveWhateverTheyHold) {
  server_.websocket(kExec, "v5.channel.k8s.io");
  ASSERT_TRUE(exec({.command = {"sh", "a&b=c+d%20", "", "ü /"}, .streams = {.size = {}}}));
  EXPECT_THAT(server_.last_call().query,
              HasSubstr("&command=sh&command=a%26b%3Dc%2Bd%2520&command=&command=%C3%BC%20%2F"));
}

TEST_F(StreamsTest, ATerminalHasNoStderrAndGetsItsSize) {
  const auto socket = server_.websocket(kExec, "v5.channel.k8s.io");
  const auto process =
      exec({.command = {"sh"},
            .streams = {.tty = true, .size = TerminalSize{.width = 120, .height = 40}}});
  ASSERT_TRUE(process);
  EXPECT_THAT(server_.last_call().query, HasSubstr("stdout=true&stderr=false&tty=true"));
  const auto received = run(loop_, socket->connection->receive());
  ASSERT_TRUE(received);
  EXPECT_EQ(as_text(std::get<ws::MessagePiece>(*received).payload),
            "\x04{\"Width\":120,\"Height\":40}");
}

TEST_F(StreamsTest, AnOlderServersV4IsSpoken) {
  const auto socket = server_.websocket(kExec, "v4.channel.k8s.io");
  auto process = exec({.command = {"cat"}, .streams = {.stdin = true, .size = {}}});
  ASSERT_TRUE(process);
  ASSERT_TRUE(run(loop_, (*process)->close_stdin()));
  process->reset();
  const auto received = run(loop_, socket->connection->receive());
  ASSERT_TRUE(received);
  EXPECT_TRUE(std::holds_alternative<ws::Close>(*received)) << "v4 knows no end of stdin";
}

TEST_F(StreamsTest, TheUserIsNamedToTheCluster) {
  as = Impersonation{.user = "jane", .groups = {}};
  server_.websocket(kPortForward, "v4.channel.k8s.io");
  ASSERT_TRUE(forward(8080));
  EXPECT_EQ(server_.last_call().fields.find("Impersonate-User"), "jane");
  EXPECT_EQ(server_.last_call().query, "ports=8080");
}

TEST_F(StreamsTest, APortSpeaksSpdyWhereTheServerDoes) {
  const auto socket = server_.websocket(kPortForward, "SPDY/3.1+portforward.k8s.io");
  const auto port = forward(8080);
  ASSERT_TRUE(port);
  EXPECT_EQ(server_.last_call().fields.find("Sec-WebSocket-Protocol"),
            "SPDY/3.1+portforward.k8s.io, v4.channel.k8s.io");
  EXPECT_EQ(run(loop_, receive_text(*socket->connection)), SpdyFraming(8080).opening());
}

TEST_F(StreamsTest, AnIdlePortAsksTheNodeWhetherItIsThere) {
  const auto socket = server_.websocket(kPortForward, "SPDY/3.1+portforward.k8s.io");
  const auto port = forward(8080);
  ASSERT_TRUE(port);
  EXPECT_EQ(run(loop_, receive_text(*socket->connection)), SpdyFraming(8080).opening());
  net::TaskGroup reading(loop_.executor());
  std::array<std::byte, 8> into{};
  reading.spawn("reader", [](backend::PortStream& stream, MutableBytes bytes) -> net::Task<> {
    (void)co_await stream.read(bytes);
  }(**port, into));
  testing::run_until_idle(loop_);
  clock_.advance(Upstream::kPingInterval);
  EXPECT_EQ(run(loop_, receive_text(*socket->connection)), SpdyFraming(8080).keep_alive());
  reading.cancel();
  run(loop_, reading.join());
}

TEST_F(StreamsTest, APortSpeaksInChannelsWhereTheServerDoesNotKnowSpdy) {
  const auto socket = server_.websocket(kPortForward, "v4.channel.k8s.io");
  const auto port = forward(8080);
  ASSERT_TRUE(port);
  ASSERT_TRUE(run(loop_, (*port)->write(as_bytes("hello"))));
  EXPECT_EQ(run(loop_, receive_text(*socket->connection)), message(0, "hello"));
}

TEST_F(StreamsTest, WhatTheClusterRefusesIsRefused) {
  server_.answer(kExec, 403, R"({"message":"pods/exec is forbidden"})");
  EXPECT_EQ(refusal(), ErrorCode::PermissionDenied);
  server_.answer("/readyz", 500, "[-]informer-sync failed");
  EXPECT_EQ(refusal(), ErrorCode::Unavailable);
}

TEST_F(StreamsTest, ANodeThatHasJustStartedIsAskedAgain) {
  std::vector<testing::ApiAnswer> answers(2, http::Response{{404, {}}, "pod does not exist"});
  answers.emplace_back(
      std::make_shared<testing::FakeWebSocket>(testing::FakeWebSocket{"v5.channel.k8s.io", {}}));
  server_.on(kExec,
             [&](const testing::ApiCall&) { return answers.at(server_.calls().size() - 1); });
  const ExecOptions options{.command = {"true"}, .streams = {.size = {}}};
  Background opening(loop_, open_exec(services(), watch(), "main", options, as));
  EXPECT_FALSE(opening.is_done());
  clock_.advance(kNodeStart);
  ASSERT_TRUE(opening.is_done());
  EXPECT_TRUE(opening.get());
  EXPECT_EQ(server_.calls().size(), 3U);
}

TEST_F(StreamsTest, ANodeThatDoesNotKnowAPodForLongIsUnavailable) {
  server_.answer(kPortForward, 404, "pod does not exist");
  Background opening(loop_, open_port(services(), watch(), 80, as));
  clock_.advance(2 * kNodeStart);
  ASSERT_TRUE(opening.is_done());
  const auto port = opening.get();
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(port.error().message, "node \"node\" does not know pod \"job-0-0\"");
}

TEST_F(StreamsTest, APodThatGoesMeanwhileIsNotFound) {
  server_.answer(kExec, 404, R"({"message":"pods \"job-0-0\" not found"})");
  const ExecOptions options{.command = {"true"}, .streams = {.size = {}}};
  Background opening(loop_, open_exec(services(), watch(), "main", options, as));
  EXPECT_FALSE(opening.is_done());
  watches.publish(pod.uid, nullptr);
  ASSERT_TRUE(opening.is_done());
  EXPECT_EQ(opening.get().error().code, ErrorCode::NotFound);
}

TEST_F(StreamsTest, APodThatCannotTakeAStreamIsAConflictWithoutARequest) {
  const PodRecord running = pod;
  pod.deleting = true;
  EXPECT_EQ(refusal(), ErrorCode::Conflict);
  EXPECT_EQ(forward(80).error().code, ErrorCode::Conflict);
  pod = running;
  pod.phase = PodPhase::Succeeded;
  EXPECT_EQ(refusal(), ErrorCode::Conflict);
  EXPECT_EQ(attach({.size = {}}).error().code, ErrorCode::Conflict);
  pod = running;
  pod.node.clear();
  EXPECT_EQ(refusal(), ErrorCode::Conflict);
  EXPECT_TRUE(server_.calls().empty());
}

TEST_F(StreamsTest, APodThatIsGoneIsNotFound) {
  auto watched = watch();
  watches.publish(pod.uid, nullptr);
  const auto port = run(loop_, open_port(services(), std::move(watched), 80, as));
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().code, ErrorCode::NotFound);
}

TEST_F(StreamsTest, AContainerThatDoesNotRunIsAConflict) {
  pod.containers.front().state = ContainerState::Waiting;
  pod.containers.front().reason = "CrashLoopBackOff";
  const auto waiting = exec({.command = {"true"}, .streams = {.size = {}}});
  ASSERT_FALSE(waiting);
  EXPECT_EQ(waiting.error().code, ErrorCode::Conflict);
  EXPECT_THAT(waiting.error().message, HasSubstr("CrashLoopBackOff"));
  pod.containers.front().state = ContainerState::Terminated;
  EXPECT_EQ(refusal(), ErrorCode::Conflict);
}

TEST_F(StreamsTest, AnUnknownContainerIsNotFound) {
  const auto process = exec({.command = {"true"}, .streams = {.size = {}}}, "other");
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().code, ErrorCode::NotFound);
}

TEST_F(StreamsTest, AnAttachTakesTheTerminalThatTheContainerHas) {
  server_.websocket(kAttach, "v5.channel.k8s.io");
  pod.containers.front().tty = true;
  const auto process = attach({.size = {}});
  ASSERT_TRUE(process);
  EXPECT_TRUE((*process)->has_terminal());
  EXPECT_EQ(server_.last_call().query,
            "container=main&stdin=false&stdout=true&stderr=false&tty=true");
}

TEST_F(StreamsTest, AContainerWithoutStdinRefusesToAttachIt) {
  pod.containers.front().stdin = false;
  const auto refused = attach({.stdin = true, .size = {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("use exec"));
}

TEST_F(StreamsTest, StdinIsHeldByOneAttachAtATime) {
  const auto attach_anew = [this](bool with_stdin) {
    server_.websocket(kAttach, "v5.channel.k8s.io");
    return attach({.stdin = with_stdin, .size = {}});
  };
  auto first = attach_anew(true);
  ASSERT_TRUE(first);
  const auto second = attach_anew(true);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(second.error().message, HasSubstr("held by another session"));
  EXPECT_THAT(second.error().message, HasSubstr("use exec"));
  EXPECT_TRUE(attach_anew(false)) << "without stdin there is room";
  first->reset();
  EXPECT_TRUE(attach_anew(true));
}

TEST_F(StreamsTest, AnAttachThatFailsHoldsNoStdin) {
  server_.answer(kAttach, 500, "{}");
  ASSERT_FALSE(attach({.stdin = true, .size = {}}));
  server_.websocket(kAttach, "v5.channel.k8s.io");
  EXPECT_TRUE(attach({.stdin = true, .size = {}}));
}

}  // namespace
}  // namespace sluice::backend::kubernetes
