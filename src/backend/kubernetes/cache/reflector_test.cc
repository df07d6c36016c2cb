#include "backend/kubernetes/cache/reflector.h"

#include <deque>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "backend/kubernetes/api/api_client_test_support.h"
#include "base/text.h"

namespace sluice::backend::kubernetes {
namespace {

using testing::ApiAnswer;
using ::testing::ElementsAre;
using testing::FakeBody;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kPath = "/api/v1/things";

/// Keeps the names, as a sink must.
class NameSink final : public ObjectSink {
 public:
  void begin_list() override { unseen_ = names_; }
  void end_list() override {
    for (const std::string& name : unseen_) names_.erase(name);
    ++lists_;
  }
  void upsert(const json::object& object) override {
    names_.insert(read_meta(object).name);
    unseen_.erase(read_meta(object).name);
  }
  void remove(const json::object& object) override { names_.erase(read_meta(object).name); }
  void report(WatchState state, std::string message) override {
    state_ = state;
    message_ = std::move(message);
    worst_ = std::max(worst_, state);
  }

  std::set<std::string> names_;
  std::set<std::string> unseen_;
  int lists_ = 0;
  WatchState state_ = WatchState::Starting;
  WatchState worst_ = WatchState::Starting;
  std::string message_;
};

std::string event(const std::string& type, const std::string& name, int version) {
  return fmt::format(
      R"({{"type":"{}","object":{{"metadata":{{"name":"{}","resourceVersion":"{}"}}}}}})"
      "\n",
      type, name, version);
}
std::string bookmark(int version) { return event("BOOKMARK", "", version); }
std::string end_of_list(int version) {
  return fmt::format(R"({{"type":"BOOKMARK","object":{{"metadata":{{"resourceVersion":"{}",)"
                     R"("annotations":{{"k8s.io/initial-events-end":"true"}}}}}}}})"
                     "\n",
                     version);
}
/// What the query asks for.
seconds duration_of(const std::string& query) {
  constexpr std::string_view kName = "timeoutSeconds=";
  const std::size_t begin = query.find(kName) + kName.size();
  return seconds(parse_int64(query.substr(begin, query.find('&', begin) - begin)).value_or(0));
}
std::string gone_event() {
  return R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}})"
         "\n";
}
std::string list(const std::string& names, int version, const std::string& continuation = "") {
  std::string items;
  for (const char name : names) {
    items += fmt::format(R"({}{{"metadata":{{"name":"{}"}}}})", items.empty() ? "" : ",", name);
  }
  return fmt::format(R"({{"metadata":{{"resourceVersion":"{}","continue":"{}"}},"items":[{}]}})",
                     version, continuation, items);
}

class ReflectorTest : public ApiClientFixture {
 protected:
  ReflectorTest() {
    server_.on(kPath, [this](const testing::ApiCall& call) { return next_answer(call); });
  }
  ~ReflectorTest() override {
    tasks_.cancel();
    testing::run_until_empty(loop_, tasks_);
  }

  /// Requests get the prepared answers in turn; then watches that stay silent.
  ApiAnswer next_answer(const testing::ApiCall&) {
    if (!answers_.empty()) {
      ApiAnswer answer = std::move(answers_.front());
      answers_.pop_front();
      return answer;
    }
    return watch();
  }
  std::shared_ptr<FakeBody> watch() {
    watches_.push_back(std::make_shared<FakeBody>());
    return watches_.back();
  }
  void will_answer(unsigned status, std::string body) {
    answers_.emplace_back(http::Response{{status, {}}, std::move(body)});
  }
  void refuse_streamed_list() {
    will_answer(422, R"({"message":"sendInitialEvents is forbidden"})");
  }
  void start() {
    tasks_.spawn("reflector", reflector_.run());
    testing::run_until_idle(loop_);
  }
  void write(const std::string& text) {
    watches_.back()->write(text);
    testing::run_until_idle(loop_);
  }
  /// The server ends it in order, and the connection with it.
  void end_watch() {
    watches_.back()->end();
    watches_.back()->cut();
    testing::run_until_idle(loop_);
  }
  /// Whatever the pause is that the backoff makes.
  void wait() { clock_.advance(std::chrono::minutes(1)); }
  /// The server has "a" and "b"; the reflector knows them and watches.
  void start_listed() {
    start();
    write(event("ADDED", "a", 1) + event("ADDED", "b", 2) + end_of_list(3));
  }
  std::string names() {
    std::string text;
    for (const std::string& name : sink_.names_) text += name;
    return text;
  }
  const std::string& last_query() { return server_.last_call().query; }

  NameSink sink_;
  std::deque<ApiAnswer> answers_;
  std::vector<std::shared_ptr<FakeBody>> watches_;
  Reflector reflector_{client_, kPath, ObjectForm::Whole, sink_, clock_, random_};
  net::TaskGroup tasks_{loop_.executor()};
};

TEST_F(ReflectorTest, ListIsStreamedUntilItsBookmark) {
  start();
  EXPECT_THAT(last_query(), HasSubstr("sendInitialEvents=true&resourceVersionMatch=NotOlderThan"));
  EXPECT_THAT(last_query(), HasSubstr("watch=true&allowWatchBookmarks=true&timeoutSeconds="));
  write(event("ADDED", "a", 1));
  EXPECT_EQ(sink_.state_, WatchState::Starting);
  write(bookmark(1));
  EXPECT_EQ(sink_.lists_, 0);
  write(end_of_list(2));
  EXPECT_EQ(sink_.state_, WatchState::Current);
  EXPECT_EQ(names(), "a");
  write(event("ADDED", "b", 3) + event("DELETED", "a", 4) + event("MODIFIED", "c", 5));
  EXPECT_EQ(names(), "bc");
  EXPECT_EQ(server_.calls().size(), 1U);
}

TEST_F(ReflectorTest, ServerThatRefusesStreamedListsIsAskedForPages) {
  for (const unsigned status : {400U, 422U}) {
    answers_.clear();
    Reflector reflector(client_, kPath, ObjectForm::Whole, sink_, clock_, random_);
    will_answer(status, "{}");
    will_answer(200, list("ab", 7, "a b"));
    will_answer(200, list("cd", 7));
    net::TaskGroup tasks(loop_.executor());
    tasks.spawn("reflector", reflector.run());
    testing::run_until_idle(loop_);
    EXPECT_EQ(names(), "abcd");
    EXPECT_EQ(sink_.state_, WatchState::Current);
    const auto& calls = server_.calls();
    EXPECT_EQ(calls[calls.size() - 3].query, "limit=250");
    EXPECT_EQ(calls[calls.size() - 2].query, "limit=250&continue=a%20b");
    EXPECT_THAT(last_query(), HasSubstr("&resourceVersion=7"));
    // It is not asked again.
    will_answer(200, list("x", 9));
    write(gone_event());
    EXPECT_EQ(names(), "x");
    tasks.cancel();
    testing::run_until_empty(loop_, tasks);
  }
}

TEST_F(ReflectorTest, ServerThatIgnoresTheWishForAStreamedListIsAskedForPages) {
  start();
  write(event("ADDED", "a", 1));
  will_answer(200, list("b", 7));
  end_watch();
  EXPECT_EQ(names(), "b");
  EXPECT_THAT(last_query(), HasSubstr("&resourceVersion=7"));
}

TEST_F(ReflectorTest, CutWatchIsResumedWhereItWas) {
  start_listed();
  write(event("ADDED", "c", 8));
  watches_.back()->cut();
  wait();
  EXPECT_THAT(last_query(), HasSubstr("&resourceVersion=8"));
  EXPECT_THAT(last_query(), Not(HasSubstr("sendInitialEvents")));
  write(event("DELETED", "a", 9));
  EXPECT_EQ(names(), "bc");
  EXPECT_EQ(sink_.lists_, 1);
  EXPECT_NE(sink_.worst_, WatchState::Failing);
}

TEST_F(ReflectorTest, WatchThatEndsInOrderIsResumedAtOnce) {
  start_listed();
  clock_.advance(seconds(300));
  end_watch();
  EXPECT_EQ(server_.calls().size(), 2U);
  EXPECT_THAT(last_query(), HasSubstr("&resourceVersion=3"));
}

TEST_F(ReflectorTest, WatchThatEndsAsSoonAsItBeginsIsNoStormOfRequests) {
  start_listed();
  for (int i = 0; i < 20; ++i) {
    const auto ended = std::make_shared<FakeBody>();
    ended->end();
    ended->cut();
    answers_.emplace_back(ended);
  }
  clock_.advance(seconds(2));
  end_watch();
  EXPECT_EQ(server_.calls().size(), 2U);
  clock_.advance(std::chrono::minutes(2));
  EXPECT_LT(server_.calls().size(), 15U);
}

TEST_F(ReflectorTest, BookmarkMovesTheVersionToResumeFrom) {
  start_listed();
  write(bookmark(40));
  watches_.back()->cut();
  wait();
  EXPECT_THAT(last_query(), HasSubstr("&resourceVersion=40"));
}

TEST_F(ReflectorTest, ForgottenVersionIsListedAnew) {
  start_listed();
  write(gone_event());
  wait();
  EXPECT_THAT(last_query(), HasSubstr("sendInitialEvents=true"));
  write(event("ADDED", "b", 50) + end_of_list(51));
  EXPECT_EQ(names(), "b");  // "a" went while nobody watched

  will_answer(410, R"({"code":410})");
  watches_.back()->cut();
  wait();
  EXPECT_THAT(last_query(), HasSubstr("sendInitialEvents=true"));
  write(end_of_list(60));
  EXPECT_EQ(names(), "");
}

TEST_F(ReflectorTest, VersionThatTheServerRefusesIsNotInsistedOn) {
  start_listed();
  will_answer(400, R"({"message":"invalid resource version"})");
  watches_.back()->cut();
  wait();
  wait();
  EXPECT_THAT(last_query(), HasSubstr("sendInitialEvents=true"));
}

TEST_F(ReflectorTest, OtherErrorEventsEndTheWatchOnly) {
  start_listed();
  write(R"({"type":"ERROR","object":{"code":500,"message":"etcd"}})"
        "\n");
  wait();
  EXPECT_THAT(last_query(), HasSubstr("&resourceVersion=3"));
}

TEST_F(ReflectorTest, StreamedListThatIsCutAnywhereLosesNothing) {
  start_listed();
  write(gone_event());
  wait();
  const std::string text = event("ADDED", "b", 50) + event("ADDED", "c", 51) + end_of_list(52);
  for (std::size_t cut = 1; cut < text.size(); cut += 7) {
    write(text.substr(0, cut));
    watches_.back()->cut();
    wait();
    ASSERT_THAT(last_query(), HasSubstr("sendInitialEvents=true")) << cut;
    ASSERT_TRUE(sink_.names_.contains("a")) << cut;  // not known to be gone
  }
  write(text);
  EXPECT_EQ(names(), "bc");
  EXPECT_EQ(sink_.state_, WatchState::Current);
}

TEST_F(ReflectorTest, ListThatIsCutBetweenItsPagesIsNothingToGoOnFrom) {
  refuse_streamed_list();
  will_answer(200, list("ab", 7));
  start();
  will_answer(200, list("b", 9, "more"));
  will_answer(500, "{}");
  will_answer(200, list("b", 10, "more"));
  will_answer(410, "{}");
  will_answer(200, list("bc", 11));
  write(gone_event());
  wait();
  EXPECT_EQ(names(), "bc");
  EXPECT_THAT(last_query(), HasSubstr("&resourceVersion=11"));
}

TEST_F(ReflectorTest, EventsComeWholeInSmallestPieces) {
  server_.set_fragment(1);
  start();
  const std::string text = event("ADDED", "a", 1) + end_of_list(2) + event("ADDED", "b", 3);
  for (const char c : text) write(std::string(1, c));
  EXPECT_EQ(names(), "ab");
}

TEST_F(ReflectorTest, FailureIsReportedWhenItIsMoreThanACut) {
  start_listed();
  access_.failure = Error{ErrorCode::Unavailable, "no route"};
  server_.break_connections();
  testing::run_until_idle(loop_);
  EXPECT_EQ(sink_.state_, WatchState::Current);
  wait();
  EXPECT_EQ(sink_.state_, WatchState::Failing);
  EXPECT_EQ(sink_.message_, "no route");
  EXPECT_EQ(names(), "ab");
  access_.failure.reset();
  wait();
  EXPECT_EQ(sink_.state_, WatchState::Current);
  EXPECT_THAT(last_query(), HasSubstr("&resourceVersion=3"));
}

TEST_F(ReflectorTest, PermissionThatIsDeniedForLongIsForbiddenUntilItIsGiven) {
  const auto deny = [this](int times) {
    for (int i = 0; i < times; ++i) will_answer(403, R"({"message":"user can't list things"})");
  };
  deny(20);
  start();
  clock_.advance(ApiClient::kDenialPatience - seconds(1));
  EXPECT_EQ(sink_.state_, WatchState::Failing);  // it may be a server that has just started
  clock_.advance(seconds(25));
  EXPECT_EQ(sink_.state_, WatchState::Forbidden);
  EXPECT_EQ(sink_.message_, "user can't list things");
  answers_.clear();
  access_.failure = Error{ErrorCode::Unavailable, "no route"};
  server_.close_idle_connections();
  wait();
  EXPECT_EQ(sink_.state_, WatchState::Forbidden);  // an outage gives no permission
  EXPECT_EQ(sink_.message_, "no route");
  access_.failure.reset();
  wait();
  write(end_of_list(2));
  EXPECT_EQ(sink_.state_, WatchState::Current);
  deny(1);
  watches_.back()->cut();
  testing::run_until_idle(loop_);
  EXPECT_NE(sink_.state_, WatchState::Forbidden);
}

TEST_F(ReflectorTest, DenialOfAServerThatIsNotReadyIsNotTold) {
  server_.answer("/readyz", 500, "");
  for (int i = 0; i < 40; ++i) will_answer(403, R"({"message":"user can't list things"})");
  start();
  clock_.advance(2 * ApiClient::kDenialPatience);
  EXPECT_EQ(sink_.state_, WatchState::Failing);
  EXPECT_THAT(sink_.message_, HasSubstr("is not ready"));
}

TEST_F(ReflectorTest, ResourceThatIsNotServedIsMissingAndEndsIt) {
  start_listed();
  will_answer(404, "{}");
  watches_.back()->cut();
  wait();
  EXPECT_EQ(sink_.state_, WatchState::Missing);
  EXPECT_EQ(tasks_.size(), 0U);
}

TEST_F(ReflectorTest, SilentWatchIsOverdueAWhileAfterItsTime) {
  start_listed();
  const seconds asked_for = duration_of(last_query());
  EXPECT_GE(asked_for, seconds(300));
  EXPECT_LE(asked_for, seconds(600));
  clock_.advance(asked_for + Reflector::kOverdue - seconds(1));
  EXPECT_EQ(server_.calls().size(), 1U);
  clock_.advance(seconds(5));
  EXPECT_EQ(server_.calls().size(), 2U);
  EXPECT_THAT(last_query(), HasSubstr("&resourceVersion=3"));
  EXPECT_TRUE(watches_[0]->is_dropped());
}

TEST_F(ReflectorTest, WatchWithBookmarksIsNotSilentForLong) {
  start_listed();
  for (int version = 10; version < 13; ++version) {
    clock_.advance(seconds(60));
    write(bookmark(version));
  }
  clock_.advance(Reflector::kMaxSilence - seconds(1));
  EXPECT_EQ(server_.calls().size(), 1U);
  write(event("ADDED", "c", 14));  // a sign of life as any other
  clock_.advance(Reflector::kMaxSilence - seconds(1));
  EXPECT_EQ(server_.calls().size(), 1U);
  clock_.advance(seconds(5));
  EXPECT_EQ(server_.calls().size(), 2U);
  EXPECT_THAT(last_query(), HasSubstr("&resourceVersion=14"));
  EXPECT_TRUE(watches_[0]->is_dropped());
}

TEST_F(ReflectorTest, BookmarksOfOneWatchSayNothingOfTheNext) {
  start_listed();
  write(bookmark(10));
  watches_.back()->cut();
  wait();
  clock_.advance(2 * Reflector::kMaxSilence);
  EXPECT_EQ(server_.calls().size(), 2U);
}

TEST_F(ReflectorTest, WatchThatIsSilentForEverIsReported) {
  start_listed();
  write(bookmark(10));
  for (int i = 0; i < 5; ++i) answers_.emplace_back(testing::Silence::Hang);
  clock_.advance(Reflector::kMaxSilence + ApiClient::kPatience + seconds(5));
  EXPECT_EQ(sink_.state_, WatchState::Failing);
  EXPECT_EQ(names(), "ab");
}

TEST_F(ReflectorTest, ForgottenVersionIsListedAnewAtOnceButNotAgainAndAgain) {
  start_listed();
  write(gone_event());
  EXPECT_EQ(server_.calls().size(), 2U);
  EXPECT_THAT(last_query(), HasSubstr("sendInitialEvents=true"));
  EXPECT_NE(sink_.worst_, WatchState::Failing);
  write(end_of_list(60) + gone_event());
  EXPECT_EQ(server_.calls().size(), 2U);
  wait();
  EXPECT_EQ(server_.calls().size(), 3U);
}

TEST_F(ReflectorTest, WatchThatLastedIsResumedSoon) {
  start_listed();
  access_.failure = Error{ErrorCode::Unavailable, "no route"};
  watches_.back()->cut();
  clock_.advance(std::chrono::minutes(5));
  access_.failure.reset();
  clock_.advance(seconds(20));  // the longest pause
  const std::size_t calls = server_.calls().size();
  clock_.advance(seconds(15));  // nothing happens, and that is well
  watches_.back()->cut();
  clock_.advance(seconds(2));
  EXPECT_EQ(server_.calls().size(), calls + 1);
}

TEST_F(ReflectorTest, CancelledWhereverItWaits) {
  start();
  tasks_.cancel();
  testing::run_until_empty(loop_, tasks_);
  EXPECT_TRUE(watches_.back()->is_dropped());
  access_.failure = Error{ErrorCode::Unavailable, "no route"};
  start();
  tasks_.cancel();
  testing::run_until_empty(loop_, tasks_);
}

TEST_F(ReflectorTest, MetadataAloneIsAskedForWhereThatIsEnough) {
  Reflector reflector(client_, kPath, ObjectForm::MetadataOnly, sink_, clock_, random_);
  refuse_streamed_list();
  will_answer(200, list("a", 1));
  net::TaskGroup tasks(loop_.executor());
  tasks.spawn("reflector", reflector.run());
  testing::run_until_idle(loop_);
  const auto accept = [this](std::size_t i) { return server_.calls()[i].fields.find("Accept"); };
  EXPECT_EQ(accept(1),
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json");
  EXPECT_EQ(accept(2),
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
  tasks.cancel();
  testing::run_until_empty(loop_, tasks);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
