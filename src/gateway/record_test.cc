#include "gateway/record.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "base/base64.h"
#include "base/file.h"
#include "gateway/gateway_test_support.h"
#include "recording/recording_folder.h"
#include "testing/temporary_folder.h"

namespace sluice::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class RecordTest : public GatewayTest {
 protected:
  /// A gateway that records what the rule says.
  void start(auth::PolicyRule rule, recording::RecorderOptions options = {}) {
    auto store = *recording::RecordingFolder::open(folder_.path());
    auto recorder = std::make_unique<recording::Recorder>(std::move(store), options, metrics);
    recordings_.emplace(*auth::Policy::from({{std::move(rule)}}), std::move(recorder));
    recorded_.emplace(Services{settings, tokens, authorizer, backend, clock, random, metrics,
                               limits, activity, stage, nullptr, &*recordings_});
    server.emplace(loop.executor(), *recorded_);
  }
  /// The answer to an exec, whose client then goes away.
  std::string exec(std::string_view command) {
    Client client(loop, gateway());
    client.send("GET " + std::string(kBase) +
                "/exec?columns=100&command=" + base64url_encode(as_bytes(command)) +
                " HTTP/1.1\r\nHost: h\r\n" + std::string(kUpgrade) + "\r\n");
    while (client.received().empty()) run_until_idle();  // another thread makes the file
    return client.received();
  }
  /// The names of the recordings, once no session is left.
  std::vector<std::string> recordings() {
    while (limits.running() > 0) run_until_idle();
    recordings_->recorder.reset();
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  const auth::PolicyRule kAll{{"*"}, {"*"}, {"*"}};

  testing::TemporaryFolder folder_;
  std::optional<Recordings> recordings_;
  std::optional<Services> recorded_;
};

TEST_F(RecordTest, RecordingTellsWhatItIsOf) {
  settings.audited_commands = AuditedCommands::Program;
  start(kAll);
  EXPECT_THAT(exec(R"(["true","secret"])"), StartsWith("HTTP/1.1 101 "));
  const auto names = recordings();
  ASSERT_EQ(names.size(), 1U);
  EXPECT_THAT(names[0], ::testing::MatchesRegex("2026-01-01T000000Z-[0-9a-f]*\\.cast"));
  EXPECT_THAT(*read_file(folder_ / names[0], 10'000),
              StartsWith(R"({"version":2,"width":100,"height":24,"timestamp":1767225600,)"
                         R"("command":"true","title":"exec by alice: p/w, pod w-0-0, container )"
                         R"(main","env":{}})"));
}

TEST_F(RecordTest, WhatNoRuleNamesIsNotRecorded) {
  const auth::PolicyRule rules[] = {
      {{"user:bob"}, {"*"}, {"*"}}, {{"*"}, {"other"}, {"*"}}, {{"*"}, {"*"}, {"attach"}}};
  for (const auth::PolicyRule& rule : rules) {
    start(rule);
    EXPECT_THAT(exec(R"(["true"])"), StartsWith("HTTP/1.1 101 "));
    EXPECT_THAT(recordings(), IsEmpty());
    testing::run(loop, server->stop());
  }
}

TEST_F(RecordTest, WhatMustBeRecordedAndCanNotBeDoesNotBegin) {
  recording::RecorderOptions options;
  options.on_failure = recording::OnFailure::Refuse;
  start(kAll, options);
  std::filesystem::remove_all(folder_.path());
  const std::string answer = exec(R"(["true"])");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("the session's recording can't be written"));
  EXPECT_THAT(backend.execs, IsEmpty());
  std::filesystem::create_directory(folder_.path());
}

TEST_F(RecordTest, SessionThatTheBackendRefusesLeavesNoRecording) {
  start(kAll);
  backend.finish_pod("w-0-0", 0);
  EXPECT_THAT(exec(R"(["true"])"), StartsWith("HTTP/1.1 409 "));
  EXPECT_THAT(recordings(), IsEmpty());
}

}  // namespace
}  // namespace sluice::gateway
