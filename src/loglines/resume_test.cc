#include "loglines/resume.h"

#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text.h"

namespace sluice::loglines {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using BodyEnd = Resume::BodyEnd;
using Reading = Resume::Reading;

Resume of_tail(std::uint64_t lines) {
  Resume::Range range;
  range.tail_lines = lines;
  return Resume(range);
}

/// A stored line: second and nanosecond of its stamp, and its text.
struct StoredLine {
  int second = 0;
  int nanosecond = 0;
  std::string text;

  std::string stamp() const {
    return fmt::format("2026-01-02T03:04:{:02}.{:09}Z", second, nanosecond);
  }
  std::string sent() const { return stamp() + " " + text + "\n"; }
};

/// What a kubelet sends of these lines for a query of ours.
std::string body_of(const std::vector<StoredLine>& log, std::string_view query) {
  std::size_t first = 0;
  if (const std::size_t tail = query.find("tailLines="); tail != std::string_view::npos) {
    const std::string_view text = query.substr(tail + 10);
    const auto lines = static_cast<std::size_t>(*parse_int64(text.substr(0, text.find('&'))));
    first = log.size() - std::min(lines, log.size());
  }
  std::string since;
  if (const std::size_t at = query.find("sinceTime="); at != std::string_view::npos) {
    since = query.substr(at + 10, 19);
  }
  std::string body;
  for (std::size_t i = first; i < log.size(); ++i) {
    if (log[i].stamp().substr(0, since.size()) >= since) body += log[i].sent();
  }
  return body;
}

/// Takes what it can of `bytes`; returns what is handed on.
Result<std::string> take_all(Resume& resume, std::string& bytes) {
  std::string out;
  while (true) {
    const auto taken = resume.take(bytes);
    if (!taken) return fail(taken.error());
    if (taken->size() == 0) return out;
    out += bytes.substr(taken->skip, taken->take);
    bytes.erase(0, taken->size());
  }
}

std::vector<StoredLine> sample_log() {
  return {{1, 5, "one"}, {1, 5, "two"},  {1, 5, "two"},   {1, 700, ""},  {2, 0, "four"},
          {3, 9, "six"}, {3, 8, "five"}, {3, 9, "seven"}, {50, 1, "end"}};
}

std::string text_of(const std::vector<StoredLine>& log) { return body_of(log, ""); }

TEST(ResumeTest, FirstRequestAsksForWhatTheOptionsSay) {
  Resume::Range range;
  range.since = parse_rfc3339("2026-01-02T03:04:05.7Z");
  range.tail_lines = 7;
  Resume resume(range);
  EXPECT_EQ(resume.begin_body(Reading::Follow),
            "timestamps=true&follow=true&tailLines=7&sinceTime=2026-01-02T03:04:05Z");
}

TEST(ResumeTest, ResumptionAsksForTheSecondBeforeTheLastLineAndForNoTail) {
  Resume resume = of_tail(7);
  resume.begin_body(Reading::Once);
  std::string body = StoredLine{5, 6, "x"}.sent();
  ASSERT_TRUE(take_all(resume, body));
  EXPECT_EQ(resume.begin_body(Reading::Once), "timestamps=true&sinceTime=2026-01-02T03:04:04Z");
}

TEST(ResumeTest, LogThatIsCutAtAnyByteIsHandedOnOnce) {
  const std::vector<StoredLine> log = sample_log();
  const std::string whole = text_of(log);
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    Resume resume(Resume::Range{});
    resume.begin_body(Reading::Follow);
    std::string body = whole.substr(0, cut);
    auto first = take_all(resume, body);
    ASSERT_TRUE(first);
    ASSERT_TRUE(resume.end_body(BodyEnd::Cut, body));
    body = body_of(log, resume.begin_body(Reading::Follow));
    auto second = take_all(resume, body);
    ASSERT_TRUE(second) << cut << second.error().message;
    EXPECT_EQ(*first + *second, whole) << cut;
  }
}

TEST(ResumeTest, LogThatIsCutAgainAndAgainIsHandedOnOnce) {
  const std::vector<StoredLine> log = sample_log();
  const std::string whole = text_of(log);
  for (std::size_t step = 1; step < 200; ++step) {
    Resume resume(Resume::Range{});
    std::string out;
    for (std::size_t cut = step; cut < 400; cut += step) {
      std::string body = body_of(log, resume.begin_body(Reading::Follow)).substr(0, cut);
      const auto taken = take_all(resume, body);
      ASSERT_TRUE(taken) << taken.error().message;
      out += *taken;
      ASSERT_TRUE(resume.end_body(BodyEnd::Cut, body));
    }
    std::string body = body_of(log, resume.begin_body(Reading::Follow));
    const auto taken = take_all(resume, body);
    ASSERT_TRUE(taken) << taken.error().message;
    EXPECT_EQ(out + *taken, whole) << step;
  }
}

TEST(ResumeTest, BytesMayComeInAnyPieces) {
  const std::vector<StoredLine> log = sample_log();
  Resume resume(Resume::Range{});
  resume.begin_body(Reading::Follow);
  std::string first = text_of({log.begin(), log.begin() + 2});
  ASSERT_TRUE(take_all(resume, first));
  std::string out;
  std::string pending;
  for (const char byte : body_of(log, resume.begin_body(Reading::Follow))) {
    pending += byte;
    const auto taken = take_all(resume, pending);
    ASSERT_TRUE(taken);
    out += *taken;
  }
  EXPECT_EQ(out, text_of({log.begin() + 2, log.end()}));
}

TEST(ResumeTest, LongLineGoesOnAtTheByteWhereItWasCut) {
  const std::vector<StoredLine> log = {{1, 0, "a"}, {2, 0, std::string(200'000, 'x')}, {3, 0, "b"}};
  const std::string whole = text_of(log);
  for (const std::size_t cut : {70'000U, 150'000U, 200'060U, 200'064U, 200'065U}) {
    Resume resume(Resume::Range{});
    resume.begin_body(Reading::Follow);
    std::string body = whole.substr(0, cut);
    auto first = take_all(resume, body);
    ASSERT_TRUE(first);
    EXPECT_GT(first->size(), 50U);
    body = body_of(log, resume.begin_body(Reading::Follow));
    auto second = take_all(resume, body);
    ASSERT_TRUE(second);
    EXPECT_EQ(*first + *second, whole) << cut;
  }
}

TEST(ResumeTest, LostLinesAreNoticedWhenNewerOnesCome) {
  Resume resume(Resume::Range{});
  resume.begin_body(Reading::Follow);
  std::string body = StoredLine{1, 0, "a"}.sent();
  ASSERT_TRUE(take_all(resume, body));
  resume.begin_body(Reading::Follow);
  body = StoredLine{1, 1, "c"}.sent();
  const auto taken = take_all(resume, body);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().message, "log lines lost");
  EXPECT_EQ(taken.error().code, ErrorCode::Unavailable);
  EXPECT_TRUE(resume.has_lost_lines());
}

TEST(ResumeTest, EmptyLogAfterACutHasLostLines) {
  Resume resume(Resume::Range{});
  resume.begin_body(Reading::Once);
  std::string body = StoredLine{1, 0, "a"}.sent();
  ASSERT_TRUE(take_all(resume, body));
  ASSERT_TRUE(resume.end_body(BodyEnd::Cut, {}));
  resume.begin_body(Reading::Once);
  EXPECT_FALSE(resume.end_body(BodyEnd::Orderly, {}));
  EXPECT_TRUE(resume.has_lost_lines());
}

TEST(ResumeTest, EmptyLogAfterAnOrderlyEndHasNoNews) {
  Resume resume(Resume::Range{});
  resume.begin_body(Reading::Follow);
  std::string body = StoredLine{1, 0, "a"}.sent();
  ASSERT_TRUE(take_all(resume, body));
  ASSERT_TRUE(resume.end_body(BodyEnd::Orderly, {}));
  resume.begin_body(Reading::Once);
  EXPECT_TRUE(resume.end_body(BodyEnd::Orderly, {}));
  EXPECT_FALSE(resume.has_news());
}

TEST(ResumeTest, TailOfOneLineThatIsAPartOfALineIsNoReasonForAlarm) {
  Resume resume = of_tail(1);
  resume.begin_body(Reading::Follow);
  std::string body = StoredLine{2, 0, "second part"}.sent();
  ASSERT_TRUE(take_all(resume, body));
  resume.begin_body(Reading::Follow);
  body = StoredLine{1, 0, "first and second part"}.sent() + StoredLine{3, 0, "next"}.sent();
  const auto taken = take_all(resume, body);
  ASSERT_TRUE(taken);
  EXPECT_EQ(*taken, (StoredLine{3, 0, "next"}.sent()));
}

TEST(ResumeTest, TailThatBeginsAmongLinesWithOneStampRepeatsNone) {
  const std::vector<StoredLine> log = {{1, 0, "a"}, {1, 0, "b"}, {1, 0, "c"}, {1, 0, "d"}};
  Resume resume = of_tail(2);
  std::string body = body_of({log.begin(), log.begin() + 3}, resume.begin_body(Reading::Follow));
  ASSERT_TRUE(take_all(resume, body));
  body = body_of(log, resume.begin_body(Reading::Follow));
  const auto taken = take_all(resume, body);
  ASSERT_TRUE(taken);
  EXPECT_EQ(*taken, log[3].sent());
}

TEST(ResumeTest, FollowerOfNoTailBeginsBehindTheLastLine) {
  std::vector<StoredLine> log = sample_log();
  Resume resume = of_tail(0);
  ASSERT_EQ(resume.next_reading(), Reading::Anchor);
  const std::string query = resume.begin_body(Reading::Anchor);
  EXPECT_EQ(query, "timestamps=true&tailLines=1");
  std::string body = body_of(log, query);
  EXPECT_EQ(take_all(resume, body), "");
  ASSERT_TRUE(resume.end_body(BodyEnd::Orderly, {}));
  ASSERT_EQ(resume.next_reading(), Reading::Follow);
  log.push_back({50, 2, "new"});
  body = body_of(log, resume.begin_body(Reading::Follow));
  EXPECT_EQ(take_all(resume, body), log.back().sent());
}

TEST(ResumeTest, FollowerOfNoTailGetsAllOfALogThatWasEmpty) {
  Resume resume = of_tail(0);
  resume.begin_body(Reading::Anchor);
  ASSERT_TRUE(resume.end_body(BodyEnd::Orderly, {}));
  ASSERT_EQ(resume.next_reading(), Reading::Follow);
  EXPECT_EQ(resume.begin_body(Reading::Follow), "timestamps=true&follow=true");
}

TEST(ResumeTest, FollowerOfNoTailAsksAgainWhenThatWasCut) {
  Resume resume = of_tail(0);
  resume.begin_body(Reading::Anchor);
  ASSERT_TRUE(resume.end_body(BodyEnd::Cut, {}));
  EXPECT_EQ(resume.next_reading(), Reading::Anchor);
}

/// A follow of a tail whose first body brought no line, and ended with this.
std::string query_after_silence(std::string_view text, BodyEnd end) {
  Resume resume = of_tail(10);
  EXPECT_THAT(resume.begin_body(resume.next_reading()), HasSubstr("tailLines=10"));
  const auto taken = resume.take(text);
  if (taken) (void)resume.end_body(end, text);
  return resume.begin_body(resume.next_reading());
}

TEST(ResumeTest, FollowOfATailOfAnEmptyLogGetsAllThatWasLoggedSince) {
  for (const BodyEnd end : {BodyEnd::Orderly, BodyEnd::Cut}) {
    for (const std::string_view text :
         {"", "2026-01-02T03:04:01.0000", "rpc error", "rpc error\n"}) {
      EXPECT_EQ(query_after_silence(text, end), "timestamps=true&follow=true") << text;
    }
  }
}

TEST(ResumeTest, TailIsAskedForAgainWhereNothingAnswered) {
  Resume resume = of_tail(10);
  resume.begin_body(Reading::Follow);  // refused
  EXPECT_EQ(resume.begin_body(Reading::Follow), "timestamps=true&follow=true&tailLines=10");
}

TEST(ResumeTest, TailThatIsReadOnceAndWasCutIsAskedForAgain) {
  Resume resume = of_tail(10);
  resume.begin_body(Reading::Once);
  ASSERT_TRUE(resume.end_body(BodyEnd::Cut, {}));
  EXPECT_EQ(resume.begin_body(Reading::Once), "timestamps=true&tailLines=10");
}

TEST(ResumeTest, TextOfTheNodeIsAnErrorAndNoLine) {
  for (const std::string line_end : {"", "\n"}) {
    Resume resume(Resume::Range{});
    resume.begin_body(Reading::Follow);
    std::string body = StoredLine{1, 0, "a"}.sent();
    const std::string line = body;
    body += "failed to create fsnotify watcher: too many open files" + line_end;
    auto taken = resume.take(body);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->take, line.size());
    body.erase(0, taken->size());
    taken = resume.take(body);
    if (taken) taken = resume.end_body(BodyEnd::Orderly, body);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, ErrorCode::Unavailable);
    EXPECT_THAT(taken.error().message, EndsWith("watcher: too many open files"));
    EXPECT_FALSE(resume.has_lost_lines());
  }
}

TEST(ResumeTest, BodyOfNothingButTheNodesTextIsAnError) {
  Resume resume(Resume::Range{});
  resume.begin_body(Reading::Once);
  const auto rest =
      resume.end_body(BodyEnd::Orderly, "unable to retrieve container logs for containerd://1");
  ASSERT_FALSE(rest);
  EXPECT_THAT(rest.error().message, HasSubstr("unable to retrieve"));
}

TEST(ResumeTest, RestOfALineThatBeganBeforeTheTimeIsNotHandedOn) {
  Resume::Range range;
  range.since = parse_rfc3339("2026-01-02T03:04:01Z");
  Resume resume(range);
  resume.begin_body(Reading::Once);
  std::string body = "the end of a long line\n" + StoredLine{1, 0, "a"}.sent();
  EXPECT_EQ(take_all(resume, body), (StoredLine{1, 0, "a"}.sent()));
}

TEST(ResumeTest, LineWithoutAnEndIsLeftToWhoKnowsWhetherItIsComplete) {
  Resume resume(Resume::Range{});
  resume.begin_body(Reading::Once);
  const std::string rest = "2026-01-02T03:04:01.000000000Z no end";
  EXPECT_EQ(resume.take(rest)->size(), 0U);
  EXPECT_EQ(resume.end_body(BodyEnd::Orderly, rest)->take, rest.size());
}

TEST(ResumeTest, TornStampIsNoTextOfTheNode) {
  Resume resume(Resume::Range{});
  resume.begin_body(Reading::Follow);
  const auto rest = resume.end_body(BodyEnd::Orderly, "2026-01-02T03:04:0");
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->take, 0U);
}

TEST(ResumeTest, StampsOfNodesWithATimeZoneAreCompared) {
  Resume resume(Resume::Range{});
  resume.begin_body(Reading::Follow);
  std::string body = "2026-01-02T05:04:01.5+02:00 a\n";
  ASSERT_TRUE(take_all(resume, body));
  EXPECT_THAT(resume.begin_body(Reading::Follow), EndsWith("sinceTime=2026-01-02T03:04:00Z"));
  body =
      "2026-01-02T05:04:00.9+02:00 old\n2026-01-02T05:04:01.5+02:00 a\n"
      "2026-01-02T05:04:02+02:00 b\n";
  EXPECT_EQ(take_all(resume, body), "2026-01-02T05:04:02+02:00 b\n");
}

}  // namespace
}  // namespace sluice::loglines
