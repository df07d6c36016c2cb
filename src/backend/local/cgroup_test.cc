#include "backend/local/cgroup.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "backend/local/process_test_support.h"

namespace sluice::backend::local {
namespace {

constexpr std::string_view kProcMount = "22 1 0:20 / /proc rw,nosuid shared:5 - proc proc rw\n";

TEST(OwnCgroupDirectory, IsBelowTheMountPoint) {
  const std::string mounts =
      std::string(kProcMount) +
      "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
  EXPECT_EQ(own_cgroup_directory(mounts, "0::/system.slice/sluiced.service\n"),
            "/sys/fs/cgroup/system.slice/sluiced.service");
  EXPECT_EQ(own_cgroup_directory(mounts, "0::/\n"), "/sys/fs/cgroup");
}

TEST(OwnCgroupDirectory, OfAHybridMachineIsThatOfVersion2) {
  const std::string mounts =
      "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(own_cgroup_directory(mounts, "4:memory:/jobs/7\n0::/session\n"),
            "/sys/fs/cgroup/unified/session");
}

TEST(OwnCgroupDirectory, OfAMountThatShowsAPartIsBelowThatPart) {
  const std::string mounts = "9 8 0:26 /docker/1a\\134x2db /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
  EXPECT_EQ(own_cgroup_directory(mounts, "0::/docker/1a\\x2db\n"), "/sys/fs/cgroup");
  EXPECT_EQ(own_cgroup_directory(mounts, "0::/docker/1a\\x2db/job\n"), "/sys/fs/cgroup/job");
  EXPECT_EQ(own_cgroup_directory(mounts, "0::/docker/1a\\x2dbc\n"), std::nullopt);
  EXPECT_EQ(own_cgroup_directory(mounts, "0::/../2b\n"), std::nullopt);
}

TEST(OwnCgroupDirectory, IsTheFirstMountThatShowsIt) {
  const std::string mounts =
      "8 7 0:26 /elsewhere /mnt rw - cgroup2 cgroup rw\n"
      "9 7 0:26 / /my\\040cgroups rw - cgroup2 cgroup rw\n";
  EXPECT_EQ(own_cgroup_directory(mounts, "0::/job\n"), "/my cgroups/job");
}

TEST(OwnCgroupDirectory, IsNoneWithoutVersion2) {
  EXPECT_EQ(own_cgroup_directory(kProcMount, "0::/\n"), std::nullopt);
  EXPECT_EQ(own_cgroup_directory("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
                                 "1:cpu:/\n"),
            std::nullopt);
  EXPECT_EQ(own_cgroup_directory("cut - cgroup2", "0::"), std::nullopt);
}

/// Needs a machine that lets us make cgroups.
class CgroupTest : public ProcessTest {
 protected:
  void SetUp() override {
    ProcessTest::SetUp();
    Result<Cgroup> made = make_server_cgroup();
    if (!made) GTEST_SKIP() << made.error().message << ": " << made.error().cause;
    server_.emplace(*std::move(made));
  }

  std::string below(std::string_view name) const {
    return server_->path() + "/" + std::string(name);
  }
  /// Starts a process that waits in that cgroup for its end, without any descriptor of ours.
  static pid_t start_waiting(const Cgroup& cgroup) {
    Pipe pipe = make_pipe();
    const pid_t pid = cgroup.fork();
    if (pid == 0) {
      ::close_range(0, ~0U, 0);
      while (true) ::pause();
    }
    pipe.writer.reset();
    read_text(pipe.reader.get());  // ends when it has closed them
    return pid;
  }
  static bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

  std::optional<Cgroup> server_;
};

TEST_F(CgroupTest, HasNobodyInItAfterTheTrial) {
  EXPECT_FALSE(server_->is_populated());
  EXPECT_FALSE(exists(below("trial")));
}

TEST_F(CgroupTest, KillEndsEverybodyInItAndBelowIt) {
  const Cgroup outer = *Cgroup::make(below("outer"));
  const Cgroup inner = *Cgroup::make(below("outer/inner"));
  const pid_t pids[] = {start_waiting(outer), start_waiting(inner)};
  EXPECT_TRUE(outer.is_populated());
  outer.kill();
  for (const pid_t pid : pids) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }
  EXPECT_FALSE(outer.is_populated());
}

TEST_F(CgroupTest, ItsEndIsThatOfItsProcessesAndOfTheCgroupsBelow) {
  pid_t pid = -1;
  {
    const Cgroup cgroup = *Cgroup::make(below("run"));
    ASSERT_EQ(::mkdir(below("run/a").c_str(), 0755), 0);
    ASSERT_EQ(::mkdir(below("run/a/b").c_str(), 0755), 0);
    pid = start_waiting(cgroup);
  }
  EXPECT_FALSE(exists(below("run")));
  EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST_F(CgroupTest, ANameThatIsTakenIsAnError) {
  const Cgroup cgroup = *Cgroup::make(below("run"));
  EXPECT_EQ(Cgroup::make(below("run")).error().code, ErrorCode::Unavailable);
}

TEST_F(CgroupTest, WhatSomebodyElseRemovedIsLeftAlone) {
  std::optional<Cgroup> removed = *Cgroup::make(below("run"));
  ASSERT_EQ(::rmdir(below("run").c_str()), 0);
  EXPECT_FALSE(removed->is_populated());
  const Cgroup namesake = *Cgroup::make(below("run"));
  removed.reset();
  EXPECT_TRUE(exists(below("run")));
}

TEST_F(CgroupTest, NoneHasNobodyInIt) {
  const Cgroup none;
  EXPECT_FALSE(none);
  EXPECT_FALSE(none.is_populated());
  EXPECT_FALSE(Cgroup::adopt(below("absent")));
}

TEST_F(CgroupTest, AServerLeavesAloneWhatAnotherOneHolds) {
  const pid_t pid = start_waiting(*server_);
  {
    const Result<Cgroup> other = make_server_cgroup();
    ASSERT_TRUE(other);
    EXPECT_NE(other->path(), server_->path());
  }
  EXPECT_TRUE(server_->is_populated());
  server_->kill();
  EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST_F(CgroupTest, AServerRemovesWhatAKilledOneLeft) {
  Pipe pipe = make_pipe();
  const pid_t owner = ::fork();
  if (owner == 0) {
    const Cgroup left = *make_server_cgroup();
    const std::string report = fmt::format("{}\n{}\n", left.path(), start_waiting(left));
    (void)!::write(pipe.writer.get(), report.data(), report.size());
    while (true) ::pause();
  }
  const std::string line = read_line(pipe.reader.get());
  const std::string path = line.substr(0, line.size() - 1);
  const pid_t left = to_pid(read_line(pipe.reader.get()));
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  ASSERT_EQ(::kill(left, 0), 0) << "it outlives its server";
  ASSERT_TRUE(exists(path));

  ASSERT_TRUE(make_server_cgroup());
  EXPECT_FALSE(exists(path));
  wait_dead(left);
}

TEST_F(CgroupTest, AServerWaitsForTheProcessesOfAKilledOneToEnd) {
  Pipe pipe = make_pipe();
  const pid_t owner = ::fork();
  if (owner == 0) {
    const Cgroup left = *make_server_cgroup();
    start_waiting(left);
    if (::fork() == 0) {
      ::poll(nullptr, 0, 200);  // takes this long to end
      ::_exit(0);
    }
    const std::string report = left.path() + "\n";
    (void)!::write(pipe.writer.get(), report.data(), report.size());
    while (true) ::pause();
  }
  const std::string line = read_line(pipe.reader.get());
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);

  ASSERT_TRUE(make_server_cgroup());
  EXPECT_FALSE(exists(line.substr(0, line.size() - 1)));
}

}  // namespace
}  // namespace sluice::backend::local
