// What we make of the words of real API servers (tests/kubernetes/transcripts/), the same for each
// version that they were recorded from, although the words differ.
#include <deque>
#include <set>

#include <gmock/gmock.h>

#include "backend/kubernetes/api/api_client_test_support.h"
#include "backend/kubernetes/cache/node_start.h"
#include "backend/kubernetes/cache/reflector.h"
#include "backend/kubernetes/logs/api_log_stream.h"
#include "backend/kubernetes/logs/log_stream_test_support.h"
#include "backend/kubernetes/streams/stream_test_support.h"
#include "backend/kubernetes/streams/streams.h"
#include "testing/read_streams.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::run;

constexpr const char* kPod = "/api/v1/namespaces/team/pods/train-0";

class RecordingsTest : public ApiClientFixture, public ::testing::WithParamInterface<const char*> {
 protected:
  ~RecordingsTest() override {
    run(loop_, tasks.stop());
    testing::run_until_idle(loop_);
  }

  void will_say(const std::string& path, const std::string& recording) {
    server_.on(path, [said = testing::read_recording(GetParam(), recording)](
                         const testing::ApiCall&) { return said; });
  }
  std::unique_ptr<PodWatch> watch() {
    return watches.watch(std::make_shared<const PodRecord>(running_pod()), loop_.executor());
  }
  /// What `task` results in, after all its pauses.
  template <typename T>
  T after_a_while(net::Task<T> task) {
    Background running(loop_, std::move(task));
    for (int i = 0; i < 20 && !running.is_done(); ++i) clock_.advance(seconds(1));
    return running.get();
  }

  Result<std::unique_ptr<RemoteProcess>> exec(const std::string& recording) {
    will_say(std::string(kPod) + "/exec", recording);
    const ExecOptions options{.command = {"true"}, .streams = {.size = {}}};
    return after_a_while(
        open_exec({client_, tasks, clock_, holds}, watch(), "main", options, std::nullopt));
  }
  ErrorCode refusal_of_exec(const std::string& recording) {
    const auto process = exec(recording);
    return process ? ErrorCode::Internal : process.error().code;
  }
  /// How a process ended, or why it did not begin: "exit code 3", or a message.
  std::string end_of_exec(const std::string& recording) {
    const auto process = exec(recording);
    if (!process) return process.error().message;
    output = run(loop_, testing::read_output(**process)).value();
    const ProcessExit exit = run(loop_, (*process)->wait()).value();
    if (const auto* exited = std::get_if<Exited>(&exit)) {
      return "exit code " + std::to_string(exited->code);
    }
    const auto* failed = std::get_if<ProcessFailed>(&exit);
    return failed != nullptr ? failed->message : "neither";
  }
  Result<std::unique_ptr<LogStream>> log(const std::string& recording, LogOptions options) {
    will_say(std::string(kPod) + "/log", recording);
    return after_a_while(open_api_log({client_, clock_, random_}, watch(), "main",
                                      std::move(options), std::nullopt));
  }

  PodWatchRegistry watches;
  LoopTasks tasks{{&loop_}};
  StdinHolds holds;
  testing::CollectedOutput output;
};

INSTANTIATE_TEST_SUITE_P(Kubernetes, RecordingsTest, ::testing::Values("v1.34.4", "v1.37.2"),
                         [](const auto& version) {
                           std::string name = version.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

TEST_P(RecordingsTest, ACommandsEndIsItsExitCode) {
  EXPECT_EQ(end_of_exec("exec_success"), "exit code 0");
  EXPECT_EQ(end_of_exec("exec_exit_code"), "exit code 3");
  EXPECT_EQ(output.stdout_text, "out\n");
}

TEST_P(RecordingsTest, ACommandThatIsNotThereIsNamedHoweverLate) {
  const std::string said = R"(exec: "/no/such": stat /no/such: no such file or directory)";
  EXPECT_EQ(end_of_exec("exec_no_such_command_v5"), said);
  EXPECT_EQ(end_of_exec("exec_no_such_command_v4"), said);
}

TEST_P(RecordingsTest, AContainerThatIsGoneIsNamedHoweverLate) {
  EXPECT_THAT(end_of_exec("exec_ended_container_v5"), HasSubstr(R"(container not found ("main"))"));
  EXPECT_THAT(end_of_exec("exec_ended_container_v4"), HasSubstr(R"(container not found ("main"))"));
}

TEST_P(RecordingsTest, AnUnknownSubprotocolIsNoMissingPermission) {
  EXPECT_THAT(end_of_exec("exec_unknown_subprotocol"), HasSubstr("subprotocols"));
  EXPECT_EQ(refusal_of_exec("exec_unknown_subprotocol"), ErrorCode::Unavailable);
  EXPECT_EQ(refusal_of_exec("exec_forbidden"), ErrorCode::PermissionDenied);
}

TEST_P(RecordingsTest, APodThatNobodyKnowsIsUnavailableWhileItsRecordLives) {
  EXPECT_EQ(refusal_of_exec("exec_no_such_pod"), ErrorCode::Unavailable);
  EXPECT_THAT(end_of_exec("exec_node_starting"),
              AnyOf(HasSubstr("does not know pod"), HasSubstr("pod does not exist")));
  EXPECT_EQ(log("log_node_starting", {}).error().code, ErrorCode::Unavailable);
  EXPECT_GT(server_.calls().size(), 10U) << "they are asked again";
}

TEST_P(RecordingsTest, APortWhereNobodyListensIsRefused) {
  will_say(std::string(kPod) + "/portforward", "port_forward_refused");
  const auto port =
      run(loop_, open_port({client_, tasks, clock_, holds}, watch(), 9, std::nullopt));
  ASSERT_TRUE(port);
  const auto text = run(loop_, testing::read_port(**port));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, "connection refused");
}

TEST_P(RecordingsTest, ALogOfWhatHasNotRunIsNone) {
  const auto previous = log("log_no_previous_run", {.previous = true});
  ASSERT_FALSE(previous);
  EXPECT_EQ(previous.error().code, ErrorCode::NotFound);
  const auto waiting = log("log_waiting_container", {});
  ASSERT_FALSE(waiting);
  EXPECT_EQ(waiting.error().code, ErrorCode::Conflict) << "its record says that it runs";
  EXPECT_THAT(waiting.error().message, HasSubstr("ErrImageNeverPull"));
}

TEST_P(RecordingsTest, CredentialsThatAreNoneAreAskedForAnew) {
  will_say("/version", "unauthorized");
  const auto answer = run(loop_, client_.get_json({.path = "/version"}));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("credentials"));
  EXPECT_EQ(access_.renewals, 1);
}

TEST_P(RecordingsTest, AServerThatIsBusyIsAskedAgainWhenItSays) {
  std::deque<testing::ApiAnswer> answers{testing::read_recording(GetParam(), "list_busy"),
                                         http::Response{{200, {}}, "{}"}};
  server_.on("/api/v1/namespaces", [&](const testing::ApiCall&) {
    testing::ApiAnswer answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  });
  const MonotonicTime begin = clock_.now();
  EXPECT_TRUE(after_a_while(client_.get_json({.path = "/api/v1/namespaces"})));
  EXPECT_EQ(clock_.now() - begin, seconds(1));
}

/// Watches one collection that the server gives the prepared answers for.
class ReflectorRecordingsTest : public RecordingsTest, public ObjectSink {
 protected:
  ~ReflectorRecordingsTest() override {
    watching.cancel();
    testing::run_until_empty(loop_, watching);
  }
  void begin_list() override {}
  void end_list() override { ++lists; }
  void upsert(const json::object&) override {}
  void remove(const json::object&) override {}
  void report(WatchState state, std::string) override { worst = std::max(worst, state); }

  testing::ApiAnswer recorded(const std::string& name) {
    return testing::read_recording(GetParam(), name);
  }
  static testing::ApiAnswer page(const std::string& continuation) {
    return http::Response{
        {200, {}},
        R"({"metadata":{"resourceVersion":"7","continue":")" + continuation + R"("},"items":[]})"};
  }
  static testing::ApiAnswer refusal() { return http::Response{{422, {}}, "{}"}; }
  /// The requests get these answers in turn, and then none.
  void watch(std::deque<testing::ApiAnswer> answers) {
    server_.on("/things", [answers](const testing::ApiCall&) mutable -> testing::ApiAnswer {
      if (answers.empty()) return testing::Silence::Hang;
      testing::ApiAnswer answer = std::move(answers.front());
      answers.pop_front();
      return answer;
    });
    watching.spawn("watch", reflector.run());
    testing::run_until_idle(loop_);
    clock_.advance(seconds(5));
  }
  const std::string& query(std::size_t call) { return server_.calls().at(call).query; }

  int lists = 0;
  WatchState worst = WatchState::Starting;
  Reflector reflector{client_, "/things", ObjectForm::Whole, *this, clock_, random_};
  net::TaskGroup watching{loop_.executor()};
};

INSTANTIATE_TEST_SUITE_P(Kubernetes, ReflectorRecordingsTest,
                         ::testing::Values("v1.34.4", "v1.37.2"), [](const auto& version) {
                           std::string name = version.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

TEST_P(ReflectorRecordingsTest, AVersionThatIsTooOldIsListedAnew) {
  watch({refusal(), page(""), recorded("watch_version_too_old"), page("")});
  EXPECT_EQ(lists, 2);
  EXPECT_EQ(query(3), "limit=250");
  EXPECT_EQ(worst, WatchState::Current);
}

TEST_P(ReflectorRecordingsTest, AListThatCannotBeStreamedComesInPages) {
  watch({recorded("watch_no_streamed_list"), page("")});
  EXPECT_EQ(lists, 1);
  EXPECT_THAT(query(0), HasSubstr("sendInitialEvents=true"));
  EXPECT_EQ(query(1), "limit=250");
}

TEST_P(ReflectorRecordingsTest, APageThatIsTooLateBeginsTheListAnew) {
  watch({refusal(), page("more"), recorded("list_continuation_expired"), page("")});
  EXPECT_EQ(query(2), "limit=250&continue=more");
  EXPECT_EQ(query(3), "limit=250");
  EXPECT_EQ(lists, 1);
}

TEST_P(ReflectorRecordingsTest, ABookmarkIsWhereAWatchGoesOn) {
  watch({refusal(), page(""), recorded("watch_bookmark")});
  clock_.advance(Reflector::kMaxSilence + seconds(5));
  EXPECT_THAT(query(2), HasSubstr("&resourceVersion=7"));
  EXPECT_THAT(query(3), Not(HasSubstr("&resourceVersion=7")));
}

}  // namespace
}  // namespace sluice::backend::kubernetes
