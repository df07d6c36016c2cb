#include "backend/kubernetes/access/exec_credentials.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "base/file.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::HasSubstr;

/// The plugin is a shell script that counts its runs in a file: each gives the token "tN".
class ExecCredentialsTest : public ::testing::Test {
 protected:
  ExecCredentialsTest()
      : runs_((std::filesystem::temp_directory_path() /
               ("sluice-plugin-" + std::to_string(::getpid())))
                  .string()) {}
  ~ExecCredentialsTest() override { std::filesystem::remove(runs_); }

  ExecPlugin plugin(const std::string& more_status, const std::string& first = "true") const {
    const std::string script =
        "echo $KUBERNETES_EXEC_INFO >> $RUNS; n=$(wc -l < $RUNS); " + first +
        "; echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","
        "\"status\":{\"token\":\"t'$n'\"" +
        more_status + "}}'";
    return {.api_version = "client.authentication.k8s.io/v1",
            .command = "sh",
            .arguments = {"-c", script},
            .environment = {{"RUNS", runs_}}};
  }
  std::string token(ExecCredentials& credentials) {
    const auto credential = testing::run(loop_, credentials.get());
    return credential ? credential->token : credential.error().message;
  }

  std::string runs_;
  net::EventLoop loop_;
  testing::VirtualClock clock_{loop_};
};

TEST_F(ExecCredentialsTest, PluginRunsOnceUntilItsCredentialsAreRefused) {
  ExecCredentials credentials(plugin(""), "info", clock_);
  EXPECT_EQ(token(credentials), "t1");
  EXPECT_EQ(token(credentials), "t1");
  EXPECT_EQ(read_file(runs_, 1000), "info\n");
  clock_.advance(ExecCredentials::kMinAge);
  credentials.forget();
  EXPECT_EQ(token(credentials), "t2");
}

TEST_F(ExecCredentialsTest, CredentialsThatAreNewAreNotFetchedAgain) {
  ExecCredentials credentials(plugin(""), "info", clock_);
  EXPECT_EQ(token(credentials), "t1");
  clock_.advance(ExecCredentials::kMinAge - milliseconds(1));
  credentials.forget();
  EXPECT_EQ(token(credentials), "t1");
}

TEST_F(ExecCredentialsTest, PluginRunsAgainShortlyBeforeTheyExpire) {
  ExecCredentials credentials(plugin(R"(,"expirationTimestamp":"2026-01-01T00:01:00Z")"), "",
                              clock_);
  EXPECT_EQ(token(credentials), "t1");
  clock_.advance(seconds(50) - milliseconds(1));
  EXPECT_EQ(token(credentials), "t1");
  clock_.advance(milliseconds(1));
  EXPECT_EQ(token(credentials), "t2");
}

TEST_F(ExecCredentialsTest, AllWhoAskMeanwhileShareOneRun) {
  ExecCredentials credentials(plugin(""), "", clock_);
  std::optional<Result<ExecCredential>> first, second;
  net::TaskGroup group(loop_.executor());
  group.spawn("first", testing::store_result(credentials.get(), first));
  group.spawn("second", testing::store_result(credentials.get(), second));
  testing::run_until_empty(loop_, group);
  EXPECT_EQ((*first)->token, "t1");
  EXPECT_EQ((*second)->token, "t1");
}

TEST_F(ExecCredentialsTest, WhenTheOneWhoRanItLeavesTheNextRunsIt) {
  ExecCredentials credentials(plugin("", "test $n -gt 1 || sleep 60"), "", clock_);
  std::optional<Result<ExecCredential>> first, second;
  net::TaskGroup leaving(loop_.executor()), staying(loop_.executor());
  leaving.spawn("first", testing::store_result(credentials.get(), first));
  testing::run_until_idle(loop_);
  staying.spawn("second", testing::store_result(credentials.get(), second));
  while (read_file(runs_, 1000).value_or("").empty()) testing::run_until_idle(loop_);
  leaving.cancel();
  testing::run_until_empty(loop_, leaving);
  testing::run_until_empty(loop_, staying);
  EXPECT_EQ(first->error().code, ErrorCode::Cancelled);
  ASSERT_TRUE(*second) << second->error().cause;
  EXPECT_EQ((*second)->token, "t2");
}

TEST_F(ExecCredentialsTest, FailureIsForTheLogAndSharedByAll) {
  ExecCredentials credentials(plugin("", "echo secret detail >&2; exit 1"), "", clock_);
  std::optional<Result<ExecCredential>> first, second;
  net::TaskGroup group(loop_.executor());
  group.spawn("first", testing::store_result(credentials.get(), first));
  group.spawn("second", testing::store_result(credentials.get(), second));
  testing::run_until_empty(loop_, group);
  EXPECT_EQ(first->error().code, ErrorCode::Unavailable);
  EXPECT_EQ(first->error().message, "the gateway could not get credentials for the cluster");
  EXPECT_THAT(first->error().cause, HasSubstr("secret detail"));
  EXPECT_EQ(second->error(), first->error());
  EXPECT_EQ(read_file(runs_, 1000), "\n");
}

TEST_F(ExecCredentialsTest, SlowPluginIsEndedAfterThirtySeconds) {
  ExecCredentials credentials(plugin("", "sleep 60"), "", clock_);
  std::optional<Result<ExecCredential>> result;
  net::TaskGroup group(loop_.executor());
  group.spawn("get", testing::store_result(credentials.get(), result));
  clock_.advance(ExecCredentials::kPatience);
  testing::run_until_empty(loop_, group);
  ASSERT_TRUE(result && !*result);
  EXPECT_THAT(result->error().cause, HasSubstr("timed out"));
}

TEST_F(ExecCredentialsTest, MissingPluginHintsAtHowToGetIt) {
  const ExecPlugin missing{.command = "sluice-no-such-plugin", .install_hint = "see the manual"};
  ExecCredentials credentials(missing, "", clock_);
  const auto result = testing::run(loop_, credentials.get());
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().cause, HasSubstr("see the manual"));
}

}  // namespace
}  // namespace sluice::backend::kubernetes
