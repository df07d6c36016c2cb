#include "backend/kubernetes/logs/api_log_stream.h"

#include <gmock/gmock.h>

#include "backend/kubernetes/cache/node_start.h"
#include "backend/kubernetes/logs/api_log_stream_test_support.h"
#include "base/text.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(ApiLogStreamTest, WholeLogIsReadOnceAndEnds) {
  expect_whole_body(lines(0, 3));
  open({});
  EXPECT_EQ(out_, texts(0, 3));
  EXPECT_EQ(end_, StreamEnd::Completed);
  EXPECT_EQ(reason_, "end of logs");
  EXPECT_EQ(query(0), "container=main&timestamps=true");
  EXPECT_EQ(server_.last_call().fields.find("Accept"), "*/*");
}

TEST_F(ApiLogStreamTest, OptionsApplyToWhatIsSent) {
  expect_whole_body(lines(0, 9));
  open({.timestamps = true,
        .since = parse_rfc3339("2026-01-02T03:04:01.5Z"),
        .tail_lines = 50,
        .limit_bytes = line(3).size() + 5});
  EXPECT_EQ(out_, line(3) + line(4).substr(0, 5));
  EXPECT_EQ(query(0), "container=main&timestamps=true&tailLines=50&sinceTime=2026-01-02T03:04:01Z");
}

TEST_F(ApiLogStreamTest, FollowEndsAtTheLimitOfBytes) {
  const auto body = expect_body(lines(0, 3));
  open({.follow = true, .limit_bytes = 10});
  EXPECT_EQ(out_, texts(0, 3).substr(0, 10));
  EXPECT_EQ(end_, StreamEnd::Completed);
  EXPECT_TRUE(body->is_dropped());
}

TEST_F(ApiLogStreamTest, LastLineWithoutAnEndIsSent) {
  expect_whole_body(lines(0, 1) + "2026-01-02T03:04:05.000000000Z no end");
  open({});
  EXPECT_EQ(out_, texts(0, 1) + "no end");
}

TEST_F(ApiLogStreamTest, LineIsSentAsSoonAsItHasCome) {
  const auto body = expect_body(line(0).substr(0, 35));
  follow();
  EXPECT_EQ(out_, "");
  body->write(line(0).substr(35));
  testing::run_until_idle(loop_);
  EXPECT_EQ(out_, texts(0, 0));
  EXPECT_FALSE(end_);
}

TEST_F(ApiLogStreamTest, ReadThatIsCutAtAnyByteGoesOn) {
  const std::string whole = lines(0, 3);
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    out_.clear();
    expect_body(whole.substr(0, cut))->cut();
    expect_whole_body(whole);
    open({});
    wait();
    EXPECT_EQ(out_, texts(0, 3)) << cut;
  }
}

TEST_F(ApiLogStreamTest, FollowThatIsCutAgainAndAgainLosesAndRepeatsNothing) {
  for (int n = 0; n < 40; ++n)
    expect_body(lines(std::max(0, n - 6), n) + line(n + 1).substr(0, 9))->cut();
  expect_body(lines(30, 42));
  follow();
  wait(std::chrono::minutes(10));
  EXPECT_EQ(out_, texts(0, 42));
  EXPECT_FALSE(error_) << error_->message;
  EXPECT_FALSE(end_);
}

TEST_F(ApiLogStreamTest, OrderlyEndWhileTheContainerRunsIsACut) {
  expect_whole_body(lines(0, 1));
  expect_body(lines(0, 3));
  follow();
  wait();
  EXPECT_EQ(out_, texts(0, 3));
  EXPECT_FALSE(end_);
  EXPECT_EQ(query(1), "container=main&timestamps=true&follow=true&sinceTime=2026-01-02T03:03:59Z");
}

TEST_F(ApiLogStreamTest, ContainerThatEndsIsReadToItsEnd) {
  expect_whole_body(lines(0, 1));
  follow();
  expect_whole_body(lines(0, 3));  // the stream had been cut behind the API server
  expect_whole_body(lines(1, 3) + "2026-01-02T03:04:05.000000000Z no end");
  publish_ended();
  EXPECT_EQ(out_, texts(0, 3) + "no end");
  EXPECT_EQ(end_, StreamEnd::Completed);
  EXPECT_EQ(reason_, "container ended");
  EXPECT_THAT(query(1), Not(HasSubstr("follow")));
  EXPECT_EQ(server_.calls().size(), 3U);
}

TEST_F(ApiLogStreamTest, PodThatFailsWhileItsContainerRunsIsAboutToBeDeleted) {
  expect_whole_body(lines(0, 1));
  follow();
  for (int attempt = 0; attempt < 50; ++attempt) expect_refusal(404, "nodes \"bed\" not found");
  pod_.phase = PodPhase::Failed;
  publish();
  wait(kNodeStart + seconds(5));
  EXPECT_EQ(out_, texts(0, 1));
  EXPECT_EQ(end_, StreamEnd::TargetDeleted);
  EXPECT_EQ(reason_, "pod deleted");
}

TEST_F(ApiLogStreamTest, NextRunIsNotFollowed) {
  expect_whole_body(lines(0, 1));
  follow();
  expect_whole_body(lines(0, 1));
  container().container_id = "containerd://2";
  container().restarts = 1;
  publish();
  EXPECT_EQ(out_, texts(0, 1));
  EXPECT_EQ(reason_, "container ended");
  EXPECT_THAT(query(1), EndsWith("&previous=true"));
}

TEST_F(ApiLogStreamTest, LogOfTheNextRunIsNotTakenForLostLines) {
  expect_whole_body(lines(0, 1));
  follow();
  expect_body(lines(8, 9));  // of the next run: the informers are late
  wait(seconds(1));
  EXPECT_FALSE(error_);
  expect_whole_body(lines(0, 1));
  container().container_id = "containerd://2";
  container().restarts = 1;
  publish();
  EXPECT_EQ(out_, texts(0, 1));
  EXPECT_EQ(reason_, "container ended");
  EXPECT_FALSE(error_);
}

TEST_F(ApiLogStreamTest, LostLinesAreReported) {
  expect_whole_body(lines(0, 1));
  follow();
  expect_body(lines(8, 9));
  wait();
  EXPECT_EQ(out_, texts(0, 1));
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::Unavailable);
  EXPECT_EQ(error_->message, "log lines lost");
}

TEST_F(ApiLogStreamTest, LogThatIsKeptNoMoreAfterACutHasLostLines) {
  expect_body(lines(0, 1))->cut();
  follow();
  container().container_id = "containerd://3";
  container().restarts = 2;
  publish();
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->message, "log lines lost");
}

TEST_F(ApiLogStreamTest, EndOfADeletedPodSaysSo) {
  auto body = expect_body(lines(0, 1));
  follow();
  pod_.deleting = true;
  publish();
  body->write(line(2));
  body->end();
  body.reset();
  open_bodies_.clear();
  expect_whole_body(lines(0, 2));
  publish_ended();
  EXPECT_EQ(out_, texts(0, 2));
  EXPECT_EQ(end_, StreamEnd::TargetDeleted);
  EXPECT_EQ(reason_, "pod deleted");
}

TEST_F(ApiLogStreamTest, EndedContainerThatTheNodeHasRemovedHasNothingMoreToSay) {
  expect_whole_body(lines(0, 1));
  follow();
  expect_refusal(404, "pods not found");
  pod_.deleting = true;
  publish_ended();
  EXPECT_EQ(end_, StreamEnd::TargetDeleted);
  EXPECT_EQ(out_, texts(0, 1));
}

TEST_F(ApiLogStreamTest, NodeThatHasJustStartedDoesNotEndALog) {
  expect_whole_body(lines(0, 1));
  follow();
  expect_refusal(404, "the server could not find the requested resource ( pods/log train-0)");
  expect_whole_body(lines(0, 3));
  expect_whole_body(lines(0, 3));  // as a follower, it reads until there is nothing new
  publish_ended();
  EXPECT_FALSE(end_);
  wait();
  EXPECT_EQ(out_, texts(0, 3));
  EXPECT_EQ(end_, StreamEnd::Completed);
}

TEST_F(ApiLogStreamTest, NodeThatHasJustStartedIsAskedAgain) {
  expect_refusal(404, "the server could not find the requested resource ( pods/log train-0)");
  expect_whole_body(lines(0, 3));
  open({});
  EXPECT_FALSE(opened_);
  wait(seconds(1));
  EXPECT_EQ(out_, texts(0, 3));
}

TEST_F(ApiLogStreamTest, StreamThatIsLeftOpenWhenItsPodIsGoneEnds) {
  const auto body = expect_body(lines(0, 1));
  follow();
  body->write(line(2));
  publish_gone();
  wait(ApiLogStream::kMaxSilence - milliseconds(1));
  body->write(line(3));
  testing::run_until_idle(loop_);
  wait(ApiLogStream::kMaxSilence - milliseconds(1));
  EXPECT_FALSE(end_);
  wait(milliseconds(1));
  EXPECT_EQ(end_, StreamEnd::TargetDeleted);
  EXPECT_EQ(reason_, "pod deleted");
  EXPECT_EQ(out_, texts(0, 3));
}

TEST_F(ApiLogStreamTest, StreamThatIsLeftOpenWhenItsContainerHasEndedIsReadAgain) {
  expect_body(lines(0, 1));
  follow();
  publish_ended();
  expect_whole_body(lines(0, 2));
  expect_whole_body(lines(0, 2));
  wait(ApiLogStream::kMaxSilence);
  EXPECT_EQ(out_, texts(0, 2));
  EXPECT_EQ(reason_, "container ended");
}

TEST_F(ApiLogStreamTest, TextOfTheNodeIsAnErrorAfterTheLinesBefore) {
  expect_whole_body(lines(0, 1) + "log file is not there");
  open({});
  wait();
  EXPECT_EQ(out_, texts(0, 1));
  ASSERT_TRUE(error_);
  EXPECT_THAT(error_->message, EndsWith("log file is not there"));
}

TEST_F(ApiLogStreamTest, TextOfTheNodeThatStaysIsAnErrorOfAFollower) {
  for (int i = 0; i < 100; ++i) {
    expect_whole_body(lines(0, 1) + "failed to create fsnotify watcher: too many open files");
  }
  follow();
  wait(ApiLogStream::kFailurePatience / 2);
  EXPECT_FALSE(error_);
  wait(ApiLogStream::kFailurePatience);
  EXPECT_EQ(out_, texts(0, 1));
  ASSERT_TRUE(error_);
  EXPECT_THAT(error_->message, EndsWith("too many open files"));
}

TEST_F(ApiLogStreamTest, ContainerRuntimeThatStartsAgainIsWaitedForByAFollower) {
  expect_whole_body(lines(0, 1) + "rpc error: code = Unknown desc = server is not initialized yet");
  for (int i = 0; i < 3; ++i) {
    expect_whole_body("rpc error: code = Unknown desc = server is not initialized yet");
  }
  expect_body(lines(0, 3));
  follow();
  wait();
  EXPECT_FALSE(error_);
  EXPECT_EQ(out_, texts(0, 3));
}

TEST_F(ApiLogStreamTest, TextOfTheNodeAboutAContainerThatEndsIsNone) {
  expect_whole_body(lines(0, 1) + "rpc error: code = NotFound desc = container 1");
  follow();
  expect_whole_body(lines(0, 1));
  publish_ended();
  EXPECT_FALSE(error_);
  EXPECT_EQ(reason_, "container ended");
}

TEST_F(ApiLogStreamTest, ClusterThatIsAwayForAWhileIsWaitedFor) {
  expect_body(lines(0, 1))->cut();
  follow();
  access_.failure = Error{ErrorCode::Unavailable, "connection refused", {}, {}, {}};
  wait(kMaxLogOutage - seconds(30));
  EXPECT_FALSE(error_);
  access_.failure.reset();
  expect_body(lines(0, 2));
  wait();
  EXPECT_EQ(out_, texts(0, 2));
}

TEST_F(ApiLogStreamTest, ClusterThatStaysAwayIsAnError) {
  expect_body(lines(0, 1))->cut();
  follow();
  access_.failure = Error{ErrorCode::Unavailable, "connection refused", {}, {}, {}};
  wait(kMaxLogOutage + seconds(30));
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::Unavailable);
}

TEST_F(ApiLogStreamTest, PermissionThatIsWithdrawnIsAnErrorAfterAWhile) {
  expect_body(line(0))->cut();
  for (int i = 0; i < 100; ++i) expect_refusal(403, "pods \\\"train-0\\\" is forbidden");
  follow();
  wait(ApiClient::kDenialPatience / 2);
  EXPECT_FALSE(error_);
  wait(ApiClient::kDenialPatience);
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::PermissionDenied);
}

TEST_F(ApiLogStreamTest, DenialOfAServerThatIsNotReadyIsNoneOfTheCaller) {
  expect_refusal(403, "pods \\\"train-0\\\" is forbidden");
  server_.answer("/readyz", 500, "");
  open({});
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::Unavailable);
}

TEST_F(ApiLogStreamTest, ServerThatHasYetToReadTheRolesIsNoWithdrawal) {
  expect_body(line(0))->cut();
  for (int i = 0; i < 3; ++i) expect_refusal(403, "pods \\\"train-0\\\" is forbidden");
  expect_body(lines(0, 2));
  follow();
  wait();
  EXPECT_FALSE(error_);
  EXPECT_EQ(out_, texts(0, 2));
}

TEST_F(ApiLogStreamTest, ContainerThatHasNotBegunHasAnEmptyLog) {
  container().state = ContainerState::Waiting;
  container().container_id.clear();
  expect_refusal(400, "container is waiting to start: ContainerCreating");
  open({});
  EXPECT_EQ(end_, StreamEnd::Completed);
  EXPECT_EQ(reason_, "end of logs");
  EXPECT_FALSE(error_);
}

TEST_F(ApiLogStreamTest, ContainerThatHasNotBegunIsWaitedForByAFollower) {
  container().state = ContainerState::Waiting;
  container().container_id.clear();
  expect_refusal(400, "container is waiting to start: ContainerCreating");
  follow();
  EXPECT_TRUE(opened_);
  wait(std::chrono::hours(1));
  EXPECT_EQ(server_.calls().size(), 1U);  // nobody is asked meanwhile
  const auto body = expect_body(lines(0, 1));
  container().state = ContainerState::Running;
  container().container_id = "containerd://1";
  publish();
  wait();
  EXPECT_EQ(out_, texts(0, 1));
  EXPECT_FALSE(end_);
}

TEST_F(ApiLogStreamTest, PodWithoutANodeIsWaitedForByAFollower) {
  container().state = ContainerState::Waiting;
  container().container_id.clear();
  pod_.phase = PodPhase::Pending;
  answers_.emplace_back(http::Response{{204, {}}, ""});
  follow();
  wait(std::chrono::hours(1));
  EXPECT_EQ(server_.calls().size(), 1U);
  publish_gone();
  EXPECT_EQ(end_, StreamEnd::TargetDeleted);
}

TEST_F(ApiLogStreamTest, PreviousRunIsRead) {
  container().restarts = 1;
  expect_whole_body(lines(0, 1));
  open({.follow = true, .previous = true});
  EXPECT_EQ(out_, texts(0, 1));
  EXPECT_EQ(query(0), "container=main&timestamps=true&previous=true");
  EXPECT_EQ(reason_, "container ended");
}

TEST_F(ApiLogStreamTest, PreviousRunThatIsNoneIsNotFound) {
  expect_refusal(400, "previous terminated container not found");
  open({.previous = true});
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::NotFound);
  EXPECT_EQ(error_->message, "container \"main\" has no previous run");
}

TEST_F(ApiLogStreamTest, PreviousRunThatTheNodeHasRemovedIsAnErrorAndNoLine) {
  expect_whole_body("unable to retrieve container logs for containerd://0");
  open({.previous = true});
  EXPECT_EQ(out_, "");
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::Unavailable);
  EXPECT_THAT(error_->message, HasSubstr("unable to retrieve container logs"));
}

TEST_F(ApiLogStreamTest, RunningContainerWithoutALogIsAConflict) {
  expect_refusal(400, "unable to retrieve container logs for containerd://1");
  open({});
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::Conflict);
  EXPECT_THAT(error_->message, HasSubstr("unable to retrieve container logs"));
}

TEST_F(ApiLogStreamTest, UnknownContainerIsNotFoundAndNobodyIsAsked) {
  container_name_ = "other";
  follow();
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::NotFound);
  EXPECT_TRUE(server_.calls().empty());
}

TEST_F(ApiLogStreamTest, FollowerOfNoTailGetsWhatComesAfterwards) {
  expect_whole_body(line(5));
  expect_body(lines(3, 6));
  open({.follow = true, .tail_lines = 0});
  EXPECT_EQ(out_, texts(6, 6));
  EXPECT_THAT(query(0), EndsWith("&tailLines=1"));
  EXPECT_THAT(query(1), HasSubstr("&follow=true&sinceTime="));
}

TEST_F(ApiLogStreamTest, LongLineIsNotKeptInMemoryAndGoesOnAfterACut) {
  const std::string text(300'000, 'x');
  const std::string long_line = "2026-01-02T03:04:00.000000001Z " + text + "\n";
  expect_body(line(0) + long_line.substr(0, 200'000))->cut();
  expect_whole_body(line(0) + long_line + line(1));
  open({});
  wait();
  EXPECT_EQ(out_, texts(0, 0) + text + "\n" + texts(1, 1));
}

TEST_F(ApiLogStreamTest, BytesMayComeInAnyPieces) {
  server_.set_fragment(1);
  expect_whole_body(lines(0, 20));
  open({.timestamps = true});
  EXPECT_EQ(out_, lines(0, 20));
}

TEST_F(ApiLogStreamTest, ReaderThatStopsStopsTheServer) {
  std::string text;
  while (text.size() < 3_MiB) text += lines(0, 20);
  const auto body = expect_body(text);
  auto watch = registry_.watch(std::make_shared<const PodRecord>(pod_), loop_.executor());
  const LogServices services{client_, clock_, random_};
  auto log = testing::run(
      loop_, open_api_log(services, std::move(watch), "main", {.follow = true}, std::nullopt));
  ASSERT_TRUE(log);
  ASSERT_TRUE(testing::run(loop_, (*log)->readable()));
  ASSERT_TRUE((*log)->read());
  testing::run_until_idle(loop_);
  wait();
  EXPECT_GT(server_.bytes_under_way(), 2_MiB);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
