#include "recording/recording.h"

#include <sched.h>

#include <map>

#include <gmock/gmock.h>

#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::recording {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A disk that a test stops, fills and looks at.
class FakeDisk final {
 public:
  class Store final : public RecordingStore {
   public:
    explicit Store(FakeDisk& disk) : disk_(disk) {}
    Result<std::unique_ptr<RecordingFile>> create(const std::string& name) override {
      TRY_VOID(disk_.write(name, ""));
      return std::make_unique<File>(disk_, name);
    }

   private:
    FakeDisk& disk_;
  };

  void stop() { set_state(true, is_full_); }
  void go_on() { set_state(false, is_full_); }
  void fill() { set_state(is_stopped_, true); }
  bool has(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return files_.contains(name);
  }
  /// The first letter of the file of each write.
  std::string order() const {
    const std::lock_guard lock(mutex_);
    return order_;
  }
  std::string content(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto file = files_.find(name);
    return file == files_.end() ? "missing" : file->second;
  }

 private:
  class File final : public RecordingFile {
   public:
    File(FakeDisk& disk, std::string name) : disk_(disk), name_(std::move(name)) {}
    Result<> append(std::string_view lines) override { return disk_.write(name_, lines); }
    void remove() override {
      const std::lock_guard lock(disk_.mutex_);
      disk_.files_.erase(name_);
    }

   private:
    FakeDisk& disk_;
    const std::string name_;
  };

  Result<> write(const std::string& name, std::string_view lines) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !is_stopped_; });
    if (is_full_) {
      Error full{.code = ErrorCode::Unavailable, .message = "no", .cause = "/secret: no space"};
      return fail(std::move(full));
    }
    if (!lines.empty()) order_ += name.front();
    files_[name] += lines;
    return {};
  }
  void set_state(bool is_stopped, bool is_full) {
    const std::lock_guard lock(mutex_);
    is_stopped_ = is_stopped;
    is_full_ = is_full;
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopped_ = false;
  bool is_full_ = false;
  std::map<std::string, std::string> files_;
  std::string order_;
};

class RecordingTest : public ::testing::Test {
 protected:
  ~RecordingTest() override {
    disk.go_on();
    recording.reset();
    recorder.reset();
    testing::run_until_idle(loop);
  }

  Subject subject(std::string name, std::string user = "alice") const {
    return {std::move(name), std::move(user), header};
  }
  void begin(std::string name = "one.cast") {
    if (!recorder) {
      recorder =
          std::make_unique<Recorder>(std::make_unique<FakeDisk::Store>(disk), options, metrics);
    }
    auto begun = testing::run(loop, Recording::begin(*recorder, subject(std::move(name)), clock));
    ASSERT_TRUE(begun) << begun.error().message;
    recording = *std::move(begun);
    recording->start();
    recording->on_failure([this](const Error& failure) { ends.push_back(failure.message); });
  }
  Result<> add(std::string_view text) {
    return testing::run(loop, recording->add_output(Stream::Stdout, as_bytes(text)));
  }
  /// More than may wait.
  void fill_queue() {
    disk.stop();
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(add(std::string(TrackQueue::kMaxOfOne / 4, 'x')));
  }
  /// Adds behind the test's back.
  void start_adding(std::string_view text) {
    tasks.spawn(
        "add", testing::store_result(recording->add_output(Stream::Stdout, as_bytes(text)), added));
    testing::run_until_idle(loop);
  }
  std::optional<Error> finish() { return testing::run(loop, recording->finish("the end")); }
  /// Runs the loop until that is so, which another thread brings about.
  template <typename Condition>
  void until(Condition condition) {
    while (!condition()) {
      testing::run_until_idle(loop);
      ::sched_yield();
    }
  }
  std::string content() { return disk.content("one.cast"); }

  FakeDisk disk;
  net::EventLoop loop;
  testing::VirtualClock clock{loop};
  Metrics metrics;
  RecorderOptions options;
  Header header;
  std::unique_ptr<Recorder> recorder;
  std::unique_ptr<Recording> recording;
  std::vector<std::string> ends;  // that the session was told
  net::TaskGroup tasks{loop.executor()};
  std::optional<Result<>> added;
};

constexpr std::string_view kHeader = "{\"version\":2,\"width\":80,\"height\":24,\"env\":{}}\n";

TEST_F(RecordingTest, WhatASessionCarriesIsInTheFileInItsOrder) {
  begin();
  clock.advance(1500ms);
  ASSERT_TRUE(add("one"));
  recording->add_size(90, 20);
  clock.advance(1ms);
  ASSERT_TRUE(testing::run(loop, recording->add_input(as_bytes("typed"))));
  ASSERT_TRUE(testing::run(loop, recording->add_output(Stream::Stderr, as_bytes("two"))));
  EXPECT_FALSE(finish());
  EXPECT_EQ(content(), std::string(kHeader) +
                           "[1.500000, \"o\", \"one\"]\n[1.500000, \"r\", \"90x20\"]\n"
                           "[1.501000, \"i\", \"typed\"]\n[1.501000, \"o\", \"two\"]\n"
                           "[1.501000, \"m\", \"the end\"]\n");
  EXPECT_TRUE(ends.empty());
}

TEST_F(RecordingTest, TheMarkThatEndsItIsBehindACharacterThatWasNotWhole) {
  begin();
  ASSERT_TRUE(add("h\xC3"));
  EXPECT_FALSE(finish());
  EXPECT_EQ(content(), std::string(kHeader) +
                           "[0.000000, \"o\", \"h\"]\n[0.000000, \"o\", \"\xEF\xBF\xBD\"]\n"
                           "[0.000000, \"m\", \"the end\"]\n");
}

TEST_F(RecordingTest, WhatWasAddedIsWrittenWithoutWaitingForMore) {
  begin();
  ASSERT_TRUE(add("now"));
  until([&] { return content().contains("now"); });
}

TEST_F(RecordingTest, WhatIsQueuedIsWrittenBeforeTheRecorderEnds) {
  begin();
  ASSERT_TRUE(add("late"));
  recording.reset();
  recorder.reset();
  EXPECT_THAT(content(), HasSubstr("late"));
}

TEST_F(RecordingTest, OneWhoseSessionDidNotStartLeavesNoFile) {
  recorder = std::make_unique<Recorder>(std::make_unique<FakeDisk::Store>(disk), options, metrics);
  auto begun = testing::run(loop, Recording::begin(*recorder, subject("none.cast"), clock));
  EXPECT_TRUE(disk.has("none.cast"));
  begun->reset();
  until([&] { return !disk.has("none.cast"); });
}

TEST_F(RecordingTest, AStoppedDiskHoldsUpForTheLagAndTheSessionGoesOnWithout) {
  begin();
  fill_queue();
  start_adding("held up");
  clock.advance(options.max_lag - 1ms);
  EXPECT_FALSE(added);
  clock.advance(1ms);
  ASSERT_TRUE(added && *added);
  EXPECT_TRUE(add("at once"));
  EXPECT_TRUE(ends.empty());
  disk.go_on();
  EXPECT_EQ(finish()->message, "the session's recording can't keep up with it");
  until([&] { return content().ends_with("can't keep up with it\"]\n"); });
  EXPECT_THAT(content(), HasSubstr("\"m\", \"recording incomplete: the session's"));
  EXPECT_THAT(content(), Not(HasSubstr("at once")));
}

TEST_F(RecordingTest, WhereItMustBeRecordedTheSessionIsEndedOnce) {
  options.on_failure = OnFailure::Refuse;
  begin();
  fill_queue();
  start_adding("held up");
  clock.advance(options.max_lag);
  EXPECT_THAT(ends, ::testing::ElementsAre("the session's recording can't keep up with it"));
  EXPECT_EQ(added->error().code, ErrorCode::Cancelled);
  EXPECT_EQ(add("more").error().code, ErrorCode::Cancelled);
  EXPECT_EQ(ends.size(), 1U);
}

TEST_F(RecordingTest, RoomEndsTheWait) {
  begin();
  fill_queue();
  start_adding("held up");
  EXPECT_FALSE(added);
  disk.go_on();
  until([&] { return added.has_value(); });
  EXPECT_TRUE(*added);
  EXPECT_FALSE(finish());
  EXPECT_THAT(content(), HasSubstr("held up"));
}

/// What many sessions make while the disk stands still.
class RecorderTest : public RecordingTest {
 protected:
  RecorderTest() {
    recorder =
        std::make_unique<Recorder>(std::make_unique<FakeDisk::Store>(disk), options, metrics);
    disk.stop();
  }
  ~RecorderTest() override {
    for (const auto& track : tracks) recorder->end(track, Track::Ending::Discard);
  }

  std::shared_ptr<Track> make_track(std::string name, std::string user) {
    auto made = std::make_shared<Track>(subject(std::move(name), std::move(user)), nullptr);
    recorder->open(made);
    return tracks.emplace_back(std::move(made));
  }
  Recorder::Pushed push(const std::shared_ptr<Track>& track, std::string_view bytes) {
    return recorder->push(track, 0ns, EventType::Output, Stream::Stdout, bytes);
  }
  /// Sessions of this user print until each is held up. Returns what was taken.
  std::size_t flood(const std::string& user, int sessions) {
    const std::string block(TrackQueue::kAlwaysTaken, '\0');
    std::size_t taken = 0;
    for (int i = 0; i < sessions; ++i) {
      const auto track = make_track(user + std::to_string(i), user);
      while (push(track, block) == Recorder::Pushed::Taken) taken += block.size();
    }
    return taken;
  }

  std::vector<std::shared_ptr<Track>> tracks;
};

TEST_F(RecorderTest, OneRecordingIsBounded) { EXPECT_LE(flood("alice", 1), TrackQueue::kMaxOfOne); }

TEST_F(RecorderTest, OneUserHasAShare) {
  constexpr int kSessions = 100;
  const std::size_t taken = flood("alice", kSessions);
  EXPECT_LE(taken, TrackQueue::kMaxOfUser + kSessions * TrackQueue::kAlwaysTaken);
  EXPECT_GT(flood("bob", 1), TrackQueue::kMaxOfOne / 2);
}

TEST_F(RecorderTest, AllRecordingsTogetherAreBounded) {
  constexpr int kUsers = 8;
  constexpr int kSessions = 20;
  std::size_t taken = 0;
  for (int i = 0; i < kUsers; ++i) taken += flood("user" + std::to_string(i), kSessions);
  EXPECT_LE(taken, TrackQueue::kMaxOfAll + kUsers * kSessions * TrackQueue::kAlwaysTaken);
}

TEST_F(RecorderTest, WhoPrintsLittleIsTakenWhateverOthersHaveQueued) {
  for (int i = 0; i < 8; ++i) flood("user" + std::to_string(i), 20);
  for (const std::string user : {"bob", "user0"}) {
    const auto quiet = make_track("quiet", user);
    for (int tick = 0; tick < 100; ++tick) {
      ASSERT_EQ(push(quiet, "tick\n"), Recorder::Pushed::Taken);
    }
  }
}

TEST_F(RecorderTest, UsersTakeTurnsAtTheDisk) {
  flood("alice", 20);
  const auto quiet = make_track("bob", "bob");
  ASSERT_EQ(push(quiet, "tick"), Recorder::Pushed::Taken);
  recorder->end(quiet, Track::Ending::Keep);
  disk.go_on();
  until([&] { return recorder->state(*quiet) == Track::State::Closed; });
  EXPECT_THAT(disk.content("bob"), HasSubstr("tick"));
  EXPECT_LT(disk.order().find('b'), 20U);  // of hundreds of writes
}

TEST_F(RecorderTest, RecordingsOfAUserTakeTurns) {
  const auto much = make_track("much", "alice");
  const std::string block(TrackQueue::kAlwaysTaken, 'x');
  while (push(much, block) == Recorder::Pushed::Taken) {
  }
  const auto little = make_track("little", "alice");
  ASSERT_EQ(push(little, "tick"), Recorder::Pushed::Taken);
  recorder->end(much, Track::Ending::Keep);
  recorder->end(little, Track::Ending::Keep);
  disk.go_on();
  until([&] { return recorder->state(*much) == Track::State::Closed; });
  EXPECT_LT(disk.order().rfind('l'), 6U);
  EXPECT_GT(disk.order().size(), 15U);
}

TEST_F(RecorderTest, WhoWaitsIsToldOnceThereIsRoom) {
  flood("alice", 100);
  bool was_told = false;
  auto waiting = std::make_shared<Track>(subject("late", "alice"), [&] { was_told = true; });
  tracks.push_back(waiting);
  while (push(waiting, "0123456789") == Recorder::Pushed::Taken) {
  }
  EXPECT_FALSE(was_told);
  disk.go_on();
  until([&] { return push(waiting, "more") == Recorder::Pushed::Taken; });
  recorder->end(waiting, Track::Ending::Discard);
  until([&] { return recorder->state(*waiting) == Track::State::Closed; });
  EXPECT_TRUE(was_told);
}

TEST_F(RecordingTest, ManySmallPiecesAreBoundedToo) {
  begin();
  disk.stop();
  std::size_t pieces = 0;
  while (pieces < TrackQueue::kMaxOfOne) {
    start_adding("x");
    if (!added) break;
    added.reset();
    ++pieces;
  }
  EXPECT_LT(pieces, TrackQueue::kMaxOfOne / 32);
  disk.go_on();
  until([&] { return added.has_value(); });
}

TEST_F(RecordingTest, OfSizesForWhichThereIsNoRoomTheLastCounts) {
  begin();
  fill_queue();
  for (unsigned width = 1; width <= 100; ++width) recording->add_size(width, 20);
  disk.go_on();
  ASSERT_TRUE(add("after"));
  EXPECT_FALSE(finish());
  EXPECT_THAT(content(), HasSubstr("\"100x20\"]\n[0.000000, \"o\", \"after\"]"));
  EXPECT_THAT(content(), Not(HasSubstr("\"99x20\"")));
}

TEST_F(RecordingTest, AFullDiskEndsTheRecordingNotItsSession) {
  begin();
  ASSERT_TRUE(add("before"));
  until([&] { return content().contains("before"); });
  disk.fill();
  ASSERT_TRUE(add("after"));
  const auto problem = finish();
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->message, "the session's recording can't be written");
  EXPECT_EQ(problem->cause, "/secret: no space");
  EXPECT_THAT(metrics.exposition(), HasSubstr("sluice_recordings_failed_total 1\n"));
  EXPECT_THAT(metrics.exposition(), HasSubstr("sluice_recordings 0\n"));
}

TEST_F(RecordingTest, AFullDiskEndsASessionThatMustBeRecordedAtOnce) {
  options.on_failure = OnFailure::Refuse;
  begin();
  disk.fill();
  ASSERT_TRUE(add("last words"));
  until([&] { return !ends.empty(); });
  EXPECT_THAT(ends, ::testing::ElementsAre("the session's recording can't be written"));
}

TEST_F(RecordingTest, AFailureBeforeTheStartIsTold) {
  options.on_failure = OnFailure::Refuse;
  recorder = std::make_unique<Recorder>(std::make_unique<FakeDisk::Store>(disk), options, metrics);
  auto begun = testing::run(loop, Recording::begin(*recorder, subject("one.cast"), clock));
  recording = *std::move(begun);
  disk.fill();
  ASSERT_TRUE(add("early"));
  until([&] { return metrics.exposition().contains("sluice_recordings_failed_total 1\n"); });
  testing::run_until_idle(loop);
  recording->start();
  recording->on_failure([this](const Error& failure) { ends.push_back(failure.message); });
  EXPECT_EQ(ends.size(), 1U);
}

TEST_F(RecordingTest, OneThatCanNotBeMadeIsRefusedOnlyWhereItMustBe) {
  disk.fill();
  for (const auto on_failure : {OnFailure::Report, OnFailure::Refuse}) {
    options.on_failure = on_failure;
    recorder =
        std::make_unique<Recorder>(std::make_unique<FakeDisk::Store>(disk), options, metrics);
    auto begun = testing::run(loop, Recording::begin(*recorder, subject("one.cast"), clock));
    EXPECT_EQ(begun.has_value(), on_failure == OnFailure::Report);
    if (begun) continue;
    EXPECT_EQ(begun.error().code, ErrorCode::Unavailable);
    EXPECT_EQ(begun.error().message, "the session's recording can't be written");
  }
}

TEST_F(RecordingTest, AFileThatIsNotMadeInTimeIsNotMade) {
  options.on_failure = OnFailure::Refuse;
  recorder = std::make_unique<Recorder>(std::make_unique<FakeDisk::Store>(disk), options, metrics);
  disk.stop();
  const auto other = std::make_shared<Track>(subject("other"), nullptr);
  recorder->open(other);  // what the thread is stuck at
  std::optional<Result<std::unique_ptr<Recording>>> begun;
  tasks.spawn("begin", testing::store_result(
                           Recording::begin(*recorder, subject("late.cast"), clock), begun));
  clock.advance(options.max_lag);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->error().message, "the session's recording can't keep up with it");
  disk.go_on();
  recorder->end(other, Track::Ending::Keep);
  recorder.reset();
  EXPECT_FALSE(disk.has("late.cast"));
}

TEST_F(RecordingTest, AtItsLargestSizeItEndsWithAMark) {
  options.max_bytes = 200;
  begin();
  ASSERT_TRUE(add("small"));
  ASSERT_TRUE(add(std::string(200, 'x')));
  const auto problem = finish();
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->message, "the session's recording has reached its largest size");
  EXPECT_THAT(content(), StartsWith(std::string(kHeader) + "[0.000000, \"o\", \"small\"]\n"));
  EXPECT_THAT(content(), Not(HasSubstr("xx")));
  EXPECT_THAT(content(), HasSubstr("recording incomplete: the session's recording has reached"));
}

TEST_F(RecordingTest, TheFirstLineTakesNothingOfTheLargestSize) {
  header.command = std::string(300, 'c');
  options.max_bytes = 200;
  begin();
  ASSERT_TRUE(add(std::string(100, 'x')));
  EXPECT_FALSE(finish());
  EXPECT_THAT(content(), HasSubstr(header.command));
  EXPECT_THAT(content(), HasSubstr("xx\"]\n[0.000000, \"m\", \"the end\"]\n"));
}

TEST_F(RecordingTest, WhatEndsItFindsRoomAtItsLargestSize) {
  const std::string event = "[0.000000, \"o\", \"h\"]\n";
  options.max_bytes = event.size();
  begin();
  ASSERT_TRUE(add("h\xC3"));
  EXPECT_FALSE(finish());
  EXPECT_EQ(content(), std::string(kHeader) + event +
                           "[0.000000, \"o\", \"\xEF\xBF\xBD\"]\n"
                           "[0.000000, \"m\", \"the end\"]\n");
}

TEST_F(RecordingTest, AnEndThatIsNotWrittenInTimeIsAProblem) {
  begin();
  disk.stop();
  ASSERT_TRUE(add("stuck"));
  std::optional<std::optional<Error>> problem;
  tasks.spawn("finish", testing::store_result(recording->finish("the end"), problem));
  clock.advance(options.max_lag);
  ASSERT_TRUE(problem && *problem);
  EXPECT_THAT((*problem)->message, HasSubstr("can't keep up"));
}

}  // namespace
}  // namespace sluice::recording
