#include "gateway/audit.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/json.h"
#include "gateway/gateway_test_support.h"
#include "testing/temporary_folder.h"

namespace sluice::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class AuditTest : public GatewayTest {
 protected:
  AuditTest() {
    trail_ =
        *AuditTrail::open({.path = folder_ / "audit.log"}, AuditTrail::OnFailure::Report, clock);
    exchange_.user = "alice";
    exchange_.groups = {"ml", "admins"};
    subject_.kind = SessionKind::Exec;
    subject_.user = "alice";
    subject_.groups = {"ml"};
    subject_.peer = "192.0.2.1:5";
    subject_.container.workload = kWorkload;
    subject_.container.pod.name = "w-0";
    subject_.container.container = "main";
    subject_.command = {"mysql", "--password=secret"};
  }

  /// What has been written, with the trail at its end.
  std::vector<json::object> lines() {
    trail_.reset();
    std::vector<json::object> found;
    std::string text = read_file(folder_ / "audit.log", 1 << 20).value_or("");
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      found.push_back(json::parse(text.substr(0, end))->as_object());
      text.erase(0, end + 1);
    }
    return found;
  }
  Services audited() {
    return {settings, tokens, authorizer, backend, clock,        random,
            metrics,  limits, activity,   stage,   trail_.get(), nullptr};
  }

  testing::TemporaryFolder folder_;
  std::unique_ptr<AuditTrail> trail_;
  testing::MemoryPipe pipe_{loop};
  http::ServerConnection connection_{std::move(pipe_.server), clock, http::ServerLimits{}};
  http::RequestHead head_{
      .method = "GET", .path = "/cluster-api/status", .query = "command=c2VjcmV0"};
  net::Turns turns_{loop.executor(), 1};
  Exchange exchange_{connection_, head_, turns_, clock.now(), "192.0.2.1:5", {}, {}, {}};
  SessionSubject subject_;
};

TEST_F(AuditTest, RequestSaysWhoAndWhatCameOfItWithoutItsQuery) {
  const Error denied{.code = ErrorCode::PermissionDenied, .message = "not allowed"};
  audit_request(audited(), exchange_, 403, milliseconds(2500), &denied);
  const auto all = lines();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(json::text_of(all[0], "event"), "request");
  EXPECT_EQ(json::text_of(all[0], "user"), "alice");
  EXPECT_EQ(all[0].at("groups"), (json::array{"ml", "admins"}));
  EXPECT_EQ(json::text_of(all[0], "source"), "192.0.2.1:5");
  EXPECT_EQ(json::text_of(all[0], "path"), "/cluster-api/status");
  EXPECT_EQ(json::find_int64(all[0], "status"), 403);
  EXPECT_EQ(json::text_of(all[0], "message"), "not allowed");
  EXPECT_EQ(all[0].at("seconds").as_double(), 2.5);
  EXPECT_THAT(json::serialize(all[0]), Not(HasSubstr("c2VjcmV0")));
}

TEST_F(AuditTest, RequestSaysWhichContainerItWasFor) {
  exchange_.container = subject_.container;
  exchange_.command = subject_.command;
  settings.audited_commands = AuditedCommands::Program;
  audit_request(audited(), exchange_, 503, {}, nullptr);
  const auto all = lines();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(json::text_of(all[0], "pod"), "w-0");
  EXPECT_EQ(json::text_of(all[0], "container"), "main");
  EXPECT_EQ(all[0].at("command"), json::array{"mysql"});
}

TEST_F(AuditTest, WhatAClientChoseIsCut) {
  head_.path = std::string(511, 'a') + "\u20ac" + std::string(60'000, 'b');
  head_.method = std::string(1000, 'M');
  const Error error{.code = ErrorCode::NotFound, .message = std::string(1000, 'm')};
  audit_request(audited(), exchange_, 404, {}, &error);
  audit_bad_request(audited(), "192.0.2.1:5", 400, error);
  const auto all = lines();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(json::text_of(all[0], "path"), std::string(511, 'a') + "... (cut: 60514 bytes)");
  EXPECT_LT(json::serialize(all[0]).size(), 2000U);
  EXPECT_LT(json::serialize(all[1]).size(), 1000U);
}

TEST_F(AuditTest, StrangersAreRecordedUpToABoundAndThenCounted) {
  exchange_.user.clear();
  const Error bad{.code = ErrorCode::InvalidArgument, .message = "no request"};
  constexpr std::size_t kRecorded = AuditTrail::kStrangers.burst;
  for (std::size_t i = 0; i < kRecorded + 100; ++i) {
    audit_request(audited(), exchange_, 401, {}, nullptr);
  }
  audit_bad_request(audited(), "192.0.2.1:5", 400, bad);
  exchange_.user = "alice";
  audit_request(audited(), exchange_, 200, {}, nullptr);
  audit_unrecorded(audited());
  audit_unrecorded(audited());
  const auto all = lines();
  ASSERT_EQ(all.size(), kRecorded + 2);
  EXPECT_EQ(json::text_of(all[kRecorded], "user"), "alice");
  EXPECT_EQ(json::text_of(all[kRecorded + 1], "event"), "requests unrecorded");
  EXPECT_EQ(json::find_int64(all[kRecorded + 1], "count"), 101);
  EXPECT_EQ(json::text_of(all[kRecorded + 1], "first"), json::text_of(all[kRecorded + 1], "last"));
}

TEST_F(AuditTest, WhatIsNoRequestIsOnRecord) {
  const Services kept = audited();
  server.emplace(loop.executor(), kept);
  {
    Client client(loop, *server);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    run_until_idle();
  }
  testing::run(loop, server->stop());
  server.reset();
  const auto all = lines();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(json::find_int64(all[0], "status"), 400);
  EXPECT_EQ(json::text_of(all[0], "source"), "memory");
  EXPECT_FALSE(all[0].contains("path"));
}

TEST_F(AuditTest, SessionsBeginAndEndUnderOneName) {
  subject_.id = "0123";
  audit_session_begin(audited(), subject_);
  const SessionOutcome outcome{1000, "exit code 3", 3, seconds(2), 10, 20};
  audit_session_end(audited(), subject_, outcome);
  const auto all = lines();
  ASSERT_EQ(all.size(), 2U);
  for (const json::object& line : all) {
    EXPECT_EQ(json::text_of(line, "session"), "0123");
    EXPECT_EQ(json::text_of(line, "verb"), "exec");
    EXPECT_EQ(json::text_of(line, "project"), "p");
    EXPECT_EQ(json::text_of(line, "workload"), "w");
    EXPECT_EQ(json::text_of(line, "pod"), "w-0");
    EXPECT_EQ(json::text_of(line, "container"), "main");
    EXPECT_EQ(line.at("command"), (json::array{"mysql", "--password=secret"}));
  }
  EXPECT_EQ(json::text_of(all[0], "event"), "session begin");
  EXPECT_EQ(json::text_of(all[1], "event"), "session end");
  EXPECT_EQ(json::find_int64(all[1], "exitCode"), 3);
  EXPECT_EQ(json::find_int64(all[1], "closeCode"), 1000);
  EXPECT_EQ(json::text_of(all[1], "reason"), "exit code 3");
  EXPECT_EQ(json::find_int64(all[1], "receivedBytes"), 10);
  EXPECT_EQ(json::find_int64(all[1], "sentBytes"), 20);
}

TEST_F(AuditTest, CommandsAreKeptAsFarAsTheOperatorWants) {
  for (const auto commands : {AuditedCommands::Program, AuditedCommands::None}) {
    settings.audited_commands = commands;
    audit_session_begin(audited(), subject_);
  }
  const auto all = lines();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].at("command"), json::array{"mysql"});
  EXPECT_FALSE(all[1].contains("command"));
}

TEST_F(AuditTest, WhateverNamesHoldALineIsOne) {
  subject_.user = "a\nb\"c\xff";
  subject_.command = {"printf", "x\n{\"event\":\"forged\"}\n"};
  audit_session_begin(audited(), subject_);
  EXPECT_EQ(lines().size(), 1U);
}

TEST_F(AuditTest, WithoutATrailNothingIsSaid) {
  audit_session_begin(services, subject_);
  audit_session_end(services, subject_, {});
  audit_request(services, exchange_, 200, {}, nullptr);
}

}  // namespace
}  // namespace sluice::gateway
