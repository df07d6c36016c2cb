// What every Backend must do, as typed tests: run against FakeBackend (fake_backend_test.cc) and
// the local one, so that the fake can't drift from what it stands for. That of Kubernetes is held
// to the contract against clusters: tests/kubernetes, tests/e2e --platform kubernetes.
//
// A bed is a default-constructible type. It has
//
//   net::EventLoop& loop();
//
//   backend::Backend& backend();
//
//   std::uint16_t echo_port();  echoes until its peer half-closes, then ends its side
//
//   std::uint16_t closed_port();  nothing listens there
//
// and, in project "p", these workloads of type training, framework runai, one container each, named
// as the workload. "sh -c" runs the two scripts below.
//
//   talker    has printed "one\ntwo\nthree\n", and goes on living; no stdin
//
//   finished  has printed "done\n" and ended with 0
//
//   echoing   has a stdin, and copies it to stdout; nothing printed yet
//
//   waiting   no pods
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "backend/backend.h"
#include "testing/read_streams.h"
#include "testing/test_loop.h"

namespace sluice::testing {

inline constexpr const char* kPrintBothAndExit3 = "printf out; printf err >&2; exit 3";
inline constexpr const char* kKillItself = "kill -9 $$";

inline auth::Caller conformance_caller() {
  return {.user = "alice", .groups = {}, .expires_at = WallTime::max()};
}

inline workload::WorkloadRef conformance_workload(std::string name) {
  return {.project = "p",
          .type = workload::WorkloadType::Training,
          .framework = workload::Framework::Runai,
          .name = std::move(name)};
}

template <typename Bed>
class BackendConformance : public ::testing::Test {
 protected:
  Result<workload::ContainerRef> resolve(workload::WorkloadRef ref, backend::Target target = {}) {
    return run(bed.loop(), bed.backend().resolve(caller, std::move(ref), std::move(target)));
  }
  workload::ContainerRef container(std::string name) {
    return resolve(conformance_workload(std::move(name))).value();
  }
  Result<std::unique_ptr<backend::LogStream>> open_log(std::string name,
                                                       backend::LogOptions options) {
    return run(bed.loop(), bed.backend().open_log(caller, container(std::move(name)), options));
  }
  /// The text of a log that ends by itself.
  std::string log_text(std::string name, backend::LogOptions options) {
    const auto log = open_log(std::move(name), options);
    return run(bed.loop(), read_log(**log)).value();
  }
  Result<std::unique_ptr<backend::RemoteProcess>> exec(std::vector<std::string> command,
                                                       backend::StreamOptions streams = {}) {
    backend::ExecOptions options;
    options.command = std::move(command);
    options.streams = streams;
    return run(bed.loop(), bed.backend().exec(caller, container("talker"), options));
  }
  Result<std::unique_ptr<backend::RemoteProcess>> attach(std::string name, bool with_stdin) {
    backend::AttachOptions options;
    options.stdin = with_stdin;
    return run(bed.loop(), bed.backend().attach(caller, container(std::move(name)), options));
  }
  Result<std::unique_ptr<backend::PortStream>> connect(std::uint16_t port) {
    return run(bed.loop(), bed.backend().forward_port(caller, container("talker"), port));
  }

  auth::Caller caller = conformance_caller();
  Bed bed;
};

TYPED_TEST_SUITE_P(BackendConformance);

TYPED_TEST_P(BackendConformance, ResolvesTheDefaultPodAndContainer) {
  const auto found = this->resolve(conformance_workload("talker"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->workload, conformance_workload("talker"));
  EXPECT_EQ(found->container, "talker");
  const auto named = this->resolve(conformance_workload("talker"),
                                   {.pod = found->pod.name, .container = found->container});
  EXPECT_EQ(named.value(), *found);
}

TYPED_TEST_P(BackendConformance, AnyFrameworkMeansTheOneThatTheWorkloadHas) {
  workload::WorkloadRef ref = conformance_workload("talker");
  ref.framework = workload::Framework::Any;
  EXPECT_EQ(this->resolve(ref).value().workload, conformance_workload("talker"));
}

TYPED_TEST_P(BackendConformance, WhatDoesNotExistIsNamedInTheError) {
  workload::WorkloadRef elsewhere = conformance_workload("talker");
  elsewhere.project = "nowhere";
  EXPECT_EQ(this->resolve(elsewhere).error().code, ErrorCode::NotFound);
  EXPECT_EQ(this->resolve(conformance_workload("nobody")).error().code,
            ErrorCode::WorkloadNotFound);
  EXPECT_EQ(this->resolve(conformance_workload("waiting")).error().code, ErrorCode::NotFound);

  const auto pod = this->resolve(conformance_workload("talker"), {.pod = "none", .container = {}});
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error().code, ErrorCode::NotFound);
  EXPECT_NE(pod.error().message.find(this->container("talker").pod.name), std::string::npos);

  const auto other =
      this->resolve(conformance_workload("talker"), {.pod = {}, .container = "sidecar"});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::NotFound);
  EXPECT_NE(other.error().message.find("talker"), std::string::npos);
}

TYPED_TEST_P(BackendConformance, StatusCountsPods) {
  const auto status = run(this->bed.loop(), this->bed.backend().workload_status(
                                                this->caller, conformance_workload("talker")));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->phase, "Running");
  EXPECT_EQ(status->pods.total, 1);
  EXPECT_EQ(status->pods.running, 1);
  EXPECT_TRUE(this->bed.backend().cluster_status().reachable);
}

TYPED_TEST_P(BackendConformance, ListsWhatStatusKnows) {
  const auto list =
      run(this->bed.loop(), this->bed.backend().list_workloads(this->caller, std::string("p")));
  ASSERT_TRUE(list);
  for (const char* name : {"talker", "finished", "echoing", "waiting"}) {
    const auto status = run(this->bed.loop(), this->bed.backend().workload_status(
                                                  this->caller, conformance_workload(name)));
    EXPECT_EQ(std::ranges::count(*list, *status), 1) << name;
  }
  const auto none =
      run(this->bed.loop(), this->bed.backend().list_workloads(this->caller, std::string("q")));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::NotFound);
}

TYPED_TEST_P(BackendConformance, ListsPodsAsResolvePrefersThem) {
  const auto list = [this](const char* name) {
    return run(this->bed.loop(),
               this->bed.backend().list_pods(this->caller, conformance_workload(name)));
  };
  const auto pods = list("talker");
  ASSERT_TRUE(pods);
  ASSERT_EQ(pods->size(), 1u);
  EXPECT_EQ(pods->front().name, this->container("talker").pod.name);
  EXPECT_EQ(pods->front().phase, "Running");
  ASSERT_EQ(pods->front().containers.size(), 1u);
  EXPECT_EQ(pods->front().containers.front().name, "talker");
  EXPECT_TRUE(pods->front().containers.front().is_default);
  EXPECT_EQ(pods->front().containers.front().state, workload::ContainerState::Running);
  EXPECT_EQ(list("finished")->front().containers.front().state,
            workload::ContainerState::Terminated);
  EXPECT_TRUE(list("waiting")->empty());
  EXPECT_EQ(list("nobody").error().code, ErrorCode::WorkloadNotFound);
}

TYPED_TEST_P(BackendConformance, AProjectMayBeWatchedAlsoOneThatIsNotThere) {
  net::TaskGroup tasks(this->bed.loop().executor());
  for (const char* project : {"p", "nowhere"}) {
    const auto watch = this->bed.backend().watch_project(project, this->bed.loop().executor());
    std::optional<Result<>> woken;
    tasks.spawn("wait", store_result(watch->changed(), woken));
    tasks.cancel();
    run(this->bed.loop(), tasks.join());
    ASSERT_TRUE(woken);
    EXPECT_EQ(woken->error().code, ErrorCode::Cancelled) << "nothing changes here";
  }
}

TYPED_TEST_P(BackendConformance, AOneShotLogEndsWithWhatThereIs) {
  const auto log = this->open_log("finished", {});
  ASSERT_TRUE(log);
  EXPECT_EQ(run(this->bed.loop(), read_log(**log)).value(), "done\n");
  EXPECT_EQ((*log)->end(), backend::StreamEnd::Completed);
  EXPECT_EQ((*log)->end_reason(), "end of logs");
}

TYPED_TEST_P(BackendConformance, FollowingAFinishedContainerEnds) {
  const auto log = this->open_log("finished", {.follow = true});
  ASSERT_TRUE(log);
  EXPECT_EQ(run(this->bed.loop(), read_log(**log)).value(), "done\n");
  EXPECT_EQ((*log)->end(), backend::StreamEnd::Completed);
  EXPECT_EQ((*log)->end_reason(), "container ended");
}

TYPED_TEST_P(BackendConformance, FollowingARunningContainerStaysOpen) {
  const auto log = this->open_log("talker", {.follow = true});
  ASSERT_TRUE(log);
  EXPECT_EQ(run(this->bed.loop(), read_log(**log, 14)).value(), "one\ntwo\nthree\n");
  EXPECT_FALSE((*log)->end());
}

TYPED_TEST_P(BackendConformance, LogsAreCutByTailAndLimit) {
  EXPECT_EQ(this->log_text("talker", {.tail_lines = 2}), "two\nthree\n");
  EXPECT_EQ(this->log_text("talker", {.tail_lines = 0}), "");
  EXPECT_EQ(this->log_text("talker", {.limit_bytes = 6}), "one\ntw");
}

TYPED_TEST_P(BackendConformance, ALimitEndsAFollowedLogToo) {
  EXPECT_EQ(this->log_text("talker", {.follow = true, .limit_bytes = 6}), "one\ntw");
}

TYPED_TEST_P(BackendConformance, TimestampsStandBeforeEachLine) {
  const std::string line = this->log_text("finished", {.timestamps = true});
  ASSERT_EQ(line.size(), 31 + 5u);
  EXPECT_EQ(line[29], 'Z');
  EXPECT_EQ(line.substr(30), " done\n");
}

TYPED_TEST_P(BackendConformance, WithoutAPreviousRunThereIsNoSuchLog) {
  const auto log = this->open_log("talker", {.previous = true});
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::NotFound);
}

TYPED_TEST_P(BackendConformance, ExecReportsItsExitCodeAfterAllOutput) {
  const auto process = this->exec({"sh", "-c", kPrintBothAndExit3});
  ASSERT_TRUE(process);
  const auto output = run(this->bed.loop(), read_output(**process));
  ASSERT_TRUE(output);
  EXPECT_EQ(output->stdout_text, "out");
  EXPECT_EQ(output->stderr_text, "err");
  const auto exit = run(this->bed.loop(), (*process)->wait());
  ASSERT_TRUE(exit);
  EXPECT_EQ(std::get<backend::Exited>(*exit).code, 3);
}

TYPED_TEST_P(BackendConformance, ExecReportsASignal) {
  const auto process = this->exec({"sh", "-c", kKillItself});
  ASSERT_TRUE(process);
  ASSERT_TRUE(run(this->bed.loop(), read_output(**process)));
  EXPECT_EQ(std::get<backend::Killed>(run(this->bed.loop(), (*process)->wait()).value()).signal, 9);
}

TYPED_TEST_P(BackendConformance, StdinEndsWhenItIsClosed) {
  const auto process = this->exec({"cat"}, {.stdin = true, .size = {}});
  ASSERT_TRUE(process);
  ASSERT_TRUE(run(this->bed.loop(), (*process)->write(as_bytes("through cat"))));
  ASSERT_TRUE(run(this->bed.loop(), (*process)->close_stdin()));
  ASSERT_TRUE(run(this->bed.loop(), (*process)->close_stdin())) << "idempotent";
  EXPECT_EQ(run(this->bed.loop(), read_output(**process)).value().stdout_text, "through cat");
  EXPECT_EQ(std::get<backend::Exited>(run(this->bed.loop(), (*process)->wait()).value()).code, 0);
}

TYPED_TEST_P(BackendConformance, WithoutStdinAWriteIsAConflict) {
  const auto process = this->exec({"sh", "-c", kPrintBothAndExit3});
  ASSERT_TRUE(process);
  const auto written = run(this->bed.loop(), (*process)->write(as_bytes("x")));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::Conflict);
  (void)run(this->bed.loop(), read_output(**process));
}

TYPED_TEST_P(BackendConformance, ACommandThatDoesNotExistIsNamed) {
  const auto process = this->exec({"no-such-command"});
  if (!process) {
    EXPECT_EQ(process.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(process.error().message.find("no-such-command"), std::string::npos);
    return;
  }
  // A cluster finds out only once the stream is open.
  ASSERT_TRUE(run(this->bed.loop(), read_output(**process)));
  const auto exit = run(this->bed.loop(), (*process)->wait()).value();
  ASSERT_TRUE(std::holds_alternative<backend::ProcessFailed>(exit));
  EXPECT_NE(std::get<backend::ProcessFailed>(exit).message.find("no-such-command"),
            std::string::npos);
}

TYPED_TEST_P(BackendConformance, AFinishedPodTakesNeitherExecNorAttach) {
  backend::ExecOptions options;
  options.command = {"true"};
  const auto process =
      run(this->bed.loop(),
          this->bed.backend().exec(this->caller, this->container("finished"), options));
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().code, ErrorCode::Conflict);
  const auto attachment = this->attach("finished", false);
  ASSERT_FALSE(attachment);
  EXPECT_EQ(attachment.error().code, ErrorCode::Conflict);
}

TYPED_TEST_P(BackendConformance, AttachReachesTheMainProcess) {
  const auto attachment = this->attach("echoing", true);
  ASSERT_TRUE(attachment);
  ASSERT_TRUE(run(this->bed.loop(), (*attachment)->write(as_bytes("hello\n"))));
  EXPECT_EQ(run(this->bed.loop(), read_output(**attachment, 6)).value().stdout_text, "hello\n");
}

TYPED_TEST_P(BackendConformance, StdinIsHeldByOneAttachAtATime) {
  auto first = this->attach("echoing", true);
  ASSERT_TRUE(first);
  const auto second = this->attach("echoing", true);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
  EXPECT_NE(second.error().message.find("exec"), std::string::npos) << "names the way out";
  EXPECT_TRUE(this->attach("echoing", false)) << "without stdin there is room";
  first->reset();
  run_until_idle(this->bed.loop());
  EXPECT_TRUE(this->attach("echoing", true));
}

TYPED_TEST_P(BackendConformance, AContainerWithoutStdinRefusesToAttachIt) {
  const auto attachment = this->attach("talker", true);
  ASSERT_FALSE(attachment);
  EXPECT_EQ(attachment.error().code, ErrorCode::Unavailable);
}

TYPED_TEST_P(BackendConformance, APortCarriesBytesAndAHalfClose) {
  const auto port = this->connect(this->bed.echo_port());
  ASSERT_TRUE(port);
  ASSERT_TRUE(run(this->bed.loop(), (*port)->write(as_bytes("echo"))));
  EXPECT_EQ(run(this->bed.loop(), read_port(**port, 4)).value(), "echo");
  EXPECT_FALSE((*port)->end());
  ASSERT_TRUE(run(this->bed.loop(), (*port)->write(as_bytes("more"))));
  ASSERT_TRUE(run(this->bed.loop(), (*port)->half_close()));
  EXPECT_EQ(run(this->bed.loop(), read_port(**port)).value(), "more");
  EXPECT_EQ((*port)->end(), backend::StreamEnd::Completed);
}

TYPED_TEST_P(BackendConformance, APortWithoutListenerIsRefused) {
  const auto port = this->connect(this->bed.closed_port());
  // A cluster finds out only once the stream is open.
  const Result<std::string> refused =
      port ? run(this->bed.loop(), read_port(**port)) : fail(port.error());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(refused.error().message, "connection refused");
}

REGISTER_TYPED_TEST_SUITE_P(
    BackendConformance, ResolvesTheDefaultPodAndContainer,
    AnyFrameworkMeansTheOneThatTheWorkloadHas, WhatDoesNotExistIsNamedInTheError, StatusCountsPods,
    ListsWhatStatusKnows, ListsPodsAsResolvePrefersThem, AProjectMayBeWatchedAlsoOneThatIsNotThere,
    AOneShotLogEndsWithWhatThereIs, FollowingAFinishedContainerEnds,
    FollowingARunningContainerStaysOpen, LogsAreCutByTailAndLimit, ALimitEndsAFollowedLogToo,
    TimestampsStandBeforeEachLine, WithoutAPreviousRunThereIsNoSuchLog,
    ExecReportsItsExitCodeAfterAllOutput, ExecReportsASignal, StdinEndsWhenItIsClosed,
    WithoutStdinAWriteIsAConflict, ACommandThatDoesNotExistIsNamed,
    AFinishedPodTakesNeitherExecNorAttach, AttachReachesTheMainProcess,
    StdinIsHeldByOneAttachAtATime, AContainerWithoutStdinRefusesToAttachIt,
    APortCarriesBytesAndAHalfClose, APortWithoutListenerIsRefused);

}  // namespace sluice::testing
