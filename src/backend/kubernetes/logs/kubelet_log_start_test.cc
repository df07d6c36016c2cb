#include "backend/kubernetes/logs/kubelet_log_start.h"

#include "backend/kubernetes/logs/kubelet_test_support.h"
#include "loglines/reference_reader.h"

namespace sluice::backend::kubernetes {
namespace {

class KubeletLogStartTest : public KubeletLogTest {
 protected:
  KubeletLogStartTest() { kubelet_.is_quiet = true; }

  /// So many files of 1000 lines each, all but two compressed; the current one empty.
  void write_files(int count) {
    for (int file = 0; file < count; ++file) {
      kubelet_.file("0.log") = log_records(1000 * file, 1000 * file + 999);
      kubelet_.rotate();
    }
  }
  static WallTime time_of_line(int line) {
    return *parse_rfc3339(fmt::format("2026-01-02T03:04:05.{:09}Z", line));
  }
};

TEST_F(KubeletLogStartTest, TailGoesBackThroughRotatedAndCompressedFiles) {
  write_files(4);
  kubelet_.file("0.log") = log_records(4000, 4009);
  for (const int lines : {0, 1, 9, 10, 11, 1000, 1010, 1011, 2010, 2500, 3010, 4009, 4010}) {
    EXPECT_EQ(read({.tail_lines = lines}), texts(4010 - lines, 4009)) << lines;
    EXPECT_EQ(reason_, "end of logs");
  }
  EXPECT_EQ(read({.tail_lines = 10'000}), texts(0, 4009));
}

TEST_F(KubeletLogStartTest, TailOfALargeLogIsReadFromItsEnd) {
  kubelet_.file("0.log") = log_records(0, 100'000);
  EXPECT_EQ(read({.tail_lines = 3}), texts(99'998, 100'000));
  EXPECT_LE(kubelet_.requests, 2);
}

TEST_F(KubeletLogStartTest, FollowGoesOnBehindTheTail) {
  write_files(2);
  open({.follow = true, .tail_lines = 5});
  EXPECT_EQ(out_, texts(1995, 1999));
  kubelet_.file("0.log") += log_records(2000, 2001);
  wait();
  EXPECT_EQ(out_, texts(1995, 2001));
}

TEST_F(KubeletLogStartTest, TailOfALineInPartsHasItWhole) {
  const std::string stamp = "2026-01-02T03:04:05.000000000Z stdout ";
  kubelet_.file("0.log") += stamp + "P a long\n";
  kubelet_.rotate();
  kubelet_.rotate();
  kubelet_.file("0.log") = stamp + "F  line\n" + log_records(4, 5);
  EXPECT_EQ(read({.tail_lines = 3}), "a long line\n" + texts(4, 5));
}

TEST_F(KubeletLogStartTest, TimeIsFoundInAnyFile) {
  write_files(4);
  kubelet_.file("0.log") = log_records(4000, 4009);
  for (const int line : {0, 1, 999, 1000, 1500, 2999, 3000, 3001, 3999, 4000, 4005, 4009}) {
    EXPECT_EQ(read({.since = time_of_line(line)}), texts(line, 4009)) << line;
  }
  EXPECT_EQ(read({.since = time_of_line(5000)}), "");
  EXPECT_EQ(reason_, "end of logs");
}

TEST_F(KubeletLogStartTest, TimeInALargeFileIsFoundByHalving) {
  kubelet_.file("0.log") = log_records(0, 300'000);
  EXPECT_EQ(read({.since = time_of_line(299'998)}), texts(299'998, 300'000));
  EXPECT_LE(kubelet_.requests, 12);
}

TEST_F(KubeletLogStartTest, AnyLogGivesTheTailThatTheReferenceSays) {
  for (unsigned seed = 1; seed <= 150; ++seed) {
    testing::SeededRandom random{seed};
    kubelet_.remove_all();
    kubelet_.file("0.log").clear();
    static const char* const kKinds[] = {"stdout F", "stderr F", "stdout P", "stderr P"};
    std::string log;
    constexpr std::uint64_t kRecords = 60;
    for (std::uint64_t n = 0; n < kRecords; ++n) {
      if (random.next() % 12 == 0) kubelet_.rotate();
      // The last records end the lines of both channels.
      const std::uint64_t left = kRecords - n;
      const char* const kind = kKinds[left <= 2 ? left - 1 : random.next() % 4];
      const std::string record =
          fmt::format("2026-01-02T03:04:05.{:09}Z {} {}\n", n, kind, random.next() % 1000);
      kubelet_.file("0.log") += record;
      log += record;
    }
    const std::uint64_t count = random.next() % 50;
    std::vector<std::string> lines = loglines::reference_lines(log, {});
    const std::size_t size = std::min<std::size_t>(count, lines.size());
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(size));
    std::string expected;
    for (const std::string& line : lines) expected += line;
    ASSERT_EQ(read({.tail_lines = count}), expected) << seed << "\n" << log;
  }
}

TEST_F(KubeletLogStartTest, RotationDuringTheSearchBeginsItAnew) {
  kubelet_.file("0.log") = log_records(0, 999);
  server_.on(kLogFolder + "0.log", [this](const testing::ApiCall&) -> testing::ApiAnswer {
    FakeKubelet& kubelet = kubelet_;
    const std::string text = kubelet.file("0.log");  // this handler is replaced by the usual one
    kubelet.rotate();
    kubelet.file("0.log") = log_records(1000, 1009);
    http::Response response{{206, {}}, text};
    response.head.fields.add("Content-Range", fmt::format("bytes 0-1/{}", text.size()));
    return response;
  });
  EXPECT_EQ(read({.tail_lines = 20}), texts(990, 1009));
}

TEST_F(KubeletLogStartTest, DamagedFileThatHoldsTheTailIsNamed) {
  write_files(2);
  kubelet_.file("0.log.20260102-000001.gz").resize(100);
  EXPECT_EQ(read({.tail_lines = 1000}), texts(1000, 1999));
  read({.tail_lines = 1500});
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::Conflict);
  EXPECT_EQ(error_->message,
            "log lines lost: 0.log.20260102-000001.gz is damaged; sinceTime reads what follows");
  EXPECT_EQ(read({.since = time_of_line(1200)}), texts(1200, 1999));
}

TEST_F(KubeletLogStartTest, PreviousIsTheNewestRunBeforeThatIsStillThere) {
  kubelet_.file("4.log") = log_records(8, 9);
  pod_.containers.front().restarts = 4;
  EXPECT_EQ(read({.previous = true}), texts(0, 3));
  pod_.containers.front().state = ContainerState::Waiting;  // until run 5 begins
  EXPECT_EQ(read({.previous = true}), texts(8, 9));
  EXPECT_EQ(read({}), texts(8, 9));
}

TEST_F(KubeletLogStartTest, NodeWithoutFilesOfTheRunHasNoLog) {
  pod_.containers.front().restarts = 1;
  read({});
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::NotFound);
  pod_.containers.front().restarts = 0;
  read({.previous = true});
  EXPECT_EQ(error_->code, ErrorCode::NotFound);
}

TEST_F(KubeletLogStartTest, KubeletThatRefusesIsAnErrorOfItsOwn) {
  kubelet_.listing_status = 403;
  read({});
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::PermissionDenied);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
