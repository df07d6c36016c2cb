#include "backend/local/user_account.h"

#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "backend/local/process_test_support.h"
#include "backend/local/workloads_file.h"

namespace sluice::backend::local {
namespace {

using ::testing::HasSubstr;

constexpr uid_t kNobody = 65534;

TEST(UserAccount, ComesFromTheUserDatabase) {
  if (::geteuid() != 0) GTEST_SKIP() << "as nobody but root may others be taken on";
  const UserAccount account = *find_user("daemon");
  EXPECT_EQ(account.name, "daemon");
  EXPECT_EQ(account.credentials.uid, 1U);
  EXPECT_EQ(account.credentials.gid, 1U);
  EXPECT_THAT(account.credentials.groups, ::testing::Contains(1U));
  EXPECT_THAT(account.home, ::testing::StartsWith("/"));
}

TEST(UserAccount, UnknownOneIsRefused) {
  EXPECT_THAT(find_user("no-such-user").error().message,
              HasSubstr("this machine has no user \"no-such-user\""));
}

TEST(UserAccount, WithoutTheRightsItIsSaidWhichOnesAreMissing) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(2);
    const Result<UserAccount> account = find_user("root");
    const bool told =
        !account && account.error().message.contains("CAP_SETUID, CAP_SETGID, CAP_KILL, CAP_CHOWN");
    ::_exit(told ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(UserAccount, OfAContainerOverridesThatOfTheFile) {
  if (::geteuid() != 0) GTEST_SKIP() << "as nobody but root may others be taken on";
  const WorkloadsFile file = *parse_workloads(
      "user: daemon\nprojects: {p: [{name: w, type: training, framework: runai, containers: ["
      "{name: a, command: [a]}, {name: b, command: [b], user: nobody}]}]}",
      "w.yaml");
  EXPECT_EQ(file.workloads.at(0).containers.at(0).user->name, "daemon");
  EXPECT_EQ(file.workloads.at(0).containers.at(1).user->name, "nobody");
}

TEST(UserAccount, UnknownOneIsNamedAtItsLine) {
  EXPECT_THAT(parse_workloads("projects: {}\nuser: no-such-user\n", "w.yaml").error().message,
              HasSubstr("w.yaml:2: user: this machine has no user \"no-such-user\""));
}

TEST(SpawnRequest, ArrivesAsItWasSent) {
  SpawnRequest request;
  request.command = {"a", ""};
  request.credentials = Credentials{1, 2, {3, 4}};
  EXPECT_EQ(parse_spawn_request(serialize(request)), request);
  request.credentials.reset();
  EXPECT_EQ(parse_spawn_request(serialize(request)), request);
}

class OtherUserTest : public ProcessTest {
 protected:
  void SetUp() override {
    ProcessTest::SetUp();
    if (::geteuid() != 0) GTEST_SKIP() << "as nobody but root may others be taken on";
    host_.emplace(*ProcessHost::start({}));
  }

  /// What a script prints that runs as nobody with two more groups.
  UniqueFd output_of(std::string script) {
    SpawnRequest request = shell(std::move(script));
    request.credentials = Credentials{kNobody, kNobody, {12345, 12346}};
    Pipe pipe = make_pipe();
    SpawnDescriptors descriptors;
    descriptors.stdout = std::move(pipe.writer);
    controls_.push_back(*run(loop_, host_->spawn(std::move(request), std::move(descriptors))));
    return std::move(pipe.reader);
  }

  std::optional<ProcessHost> host_;
  net::EventLoop loop_;
  std::vector<ProcessControl> controls_;
};

TEST_F(OtherUserTest, ProcessHasTheUsersIdsAndNoCapability) {
  const UniqueFd output =
      output_of("grep -E '^(Uid|Gid|Groups|Cap(Prm|Eff|Amb))' /proc/self/status");
  EXPECT_EQ(read_text(output.get()),
            "Uid:\t65534\t65534\t65534\t65534\nGid:\t65534\t65534\t65534\t65534\n"
            "Groups:\t12345 12346 \nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
            "CapAmb:\t0000000000000000\n");
}

TEST_F(OtherUserTest, ProcessMayOpenItsOutputByName) {
  const UniqueFd output = output_of("echo here > /dev/stdout");
  EXPECT_EQ(read_text(output.get()), "here\n");
}

TEST_F(OtherUserTest, ProcessDiesWithItsShim) {
  const UniqueFd output = output_of("echo $PPID $$; exec sleep 1000");
  const std::string line = read_line(output.get());
  const std::size_t space = line.find(' ');
  ::kill(to_pid(line.substr(0, space)), SIGKILL);
  wait_dead(to_pid(line.substr(space + 1)));
}

TEST_F(OtherUserTest, TreeIsKilledWithItsControl) {
  const UniqueFd output = output_of("(setsid sh -c 'echo $$; exec sleep 1000' & ); sleep 1000");
  const pid_t orphan = to_pid(read_line(output.get()));
  controls_.clear();
  wait_dead(orphan);
  EXPECT_EQ(read_text(output.get()), "");
}

}  // namespace
}  // namespace sluice::backend::local
