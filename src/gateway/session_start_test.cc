#include "gateway/session_start.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "gateway/gateway_test_support.h"
#include "gateway/record.h"
#include "recording/recording_folder.h"
#include "testing/temporary_folder.h"

namespace sluice::gateway {
namespace {

using ::testing::HasSubstr;

/// A gateway that records everything, and whose client is gone once the backend has done what it
/// was asked for.
class SessionStartTest : public GatewayTest {
 protected:
  SessionStartTest() {
    trail_ =
        *AuditTrail::open({.path = folder_ / "audit.log"}, AuditTrail::OnFailure::Refuse, clock);
    recording::RecorderOptions options;
    options.on_failure = recording::OnFailure::Refuse;
    auto recorder = std::make_unique<recording::Recorder>(
        *recording::RecordingFolder::open(folder_ / "casts"), options, metrics);
    recordings_.emplace(*auth::Policy::from({{{{"*"}, {"*"}, {"*"}}}}), std::move(recorder));
    kept_.emplace(Services{settings, tokens, authorizer, backend, clock, random, metrics, limits,
                           activity, stage, trail_.get(), &*recordings_});
    server.emplace(loop.executor(), *kept_);
    client_.emplace(loop, *server);
    backend.programs["leaves"] = [this](const backend::ExecOptions&) {
      client_->lose();
      return testing::FakeProcess::cat(loop.executor());
    };
    backend.ports[80] = [this]() -> Result<std::shared_ptr<testing::FakePort>> {
      client_->lose();
      return std::make_shared<testing::FakePort>(loop.executor());
    };
  }
  void send(const std::string& operation) {
    client_->send("GET " + std::string(kBase) + operation + " HTTP/1.1\r\nHost: h\r\n" +
                  std::string(kUpgrade) + "\r\n");
  }
  void request(const std::string& operation) {
    send(operation);
    do run_until_idle();
    while (!activity.is_idle());  // another thread makes and ends the file
  }
  static std::string exec(std::string_view command) {
    return "/exec?command=" + base64url_encode(as_bytes(command));
  }
  /// The events that are on record, with the trail at its end.
  std::vector<json::object> records(std::string_view event) {
    trail_.reset();
    std::vector<json::object> found;
    std::string text = read_file(folder_ / "audit.log", 1 << 20).value_or("");
    for (std::size_t end = 0; (end = text.find('\n')) != std::string::npos;) {
      const json::object line = json::parse(text.substr(0, end))->as_object();
      if (json::text_of(line, "event") == event) found.push_back(line);
      text.erase(0, end + 1);
    }
    return found;
  }
  std::string recorded() {
    recordings_->recorder.reset();
    std::string text;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "casts")) {
      text += *read_file(entry.path(), 10'000);
    }
    return text;
  }

  testing::TemporaryFolder folder_;
  std::unique_ptr<AuditTrail> trail_;
  std::optional<Recordings> recordings_;
  std::optional<Services> kept_;
  std::optional<Client> client_;
};

TEST_F(SessionStartTest, ExecWhoseClientIsGoneBeforeIts101IsOnRecordAndRecorded) {
  request(exec(R"(["leaves","x"])"));
  ASSERT_EQ(backend.execs.size(), 1U);
  EXPECT_EQ(limits.running(), 0U);
  EXPECT_THAT(recorded(), HasSubstr("session ended: 1006 connection reset"));
  testing::run(loop, server->stop());
  server.reset();
  const auto begun = records("session begin");
  ASSERT_EQ(begun.size(), 1U);
  EXPECT_EQ(begun[0].at("command"), (json::array{"leaves", "x"}));
  EXPECT_TRUE(begun[0].contains("recording"));
  const auto ended = records("session end");
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(json::text_of(ended[0], "session"), json::text_of(begun[0], "session"));
  EXPECT_EQ(json::find_int64(ended[0], "closeCode"), 1006);
  EXPECT_EQ(json::text_of(ended[0], "reason"), "connection reset");
}

TEST_F(SessionStartTest, ExecThatTheServersEndCutsOffIsOnRecord) {
  backend.exec_hangs = true;
  send(exec(R"(["cat"])"));
  do run_until_idle();
  while (backend.execs.empty());  // another thread makes the recording
  testing::run(loop, server->stop());
  server.reset();
  const auto requests = records("request");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].at("command"), json::array{"cat"});
  EXPECT_EQ(json::text_of(requests[0], "container"), "main");
  EXPECT_EQ(json::text_of(requests[0], "message"), "the server ended before it answered");
  EXPECT_FALSE(requests[0].contains("status"));
}

TEST_F(SessionStartTest, PortForwardWhoseClientIsGoneBeforeIts101IsOnRecord) {
  request("/port-forward?port=80");
  testing::run(loop, server->stop());
  server.reset();
  EXPECT_EQ(records("session begin").size(), 1U);
  const auto ended = records("session end");
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(json::find_int64(ended[0], "closeCode"), 1006);
}

}  // namespace
}  // namespace sluice::gateway
