#include "backend/kubernetes/kubelet_log_stream.h"

#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "backend/kubernetes/log_stream_test_support.h"
#include "base/text.h"
#include "testing/fake_api_server.h"
#include "testing/seeded_random.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::backend::kubernetes {
namespace {

const std::string kFolder = "/logs/pods/team_train-0_u1/main/";
const std::string kRotated = "0.log.20260102-030405";

std::string lines(int first, int last) {
  std::string text;
  for (int n = first; n <= last; ++n) {
    text += fmt::format("2026-01-02T03:04:05.{:09}Z stdout F line {}\n", n, n);
  }
  return text;
}

/// A kubelet's file server, whose files the test writes, renames and removes.
class KubeletLogStreamTest : public ::testing::Test {
 protected:
  KubeletLogStreamTest() {
    server_.on(kFolder, [this](const testing::ApiCall&) { return listing(); });
    for (const std::string& name : {std::string("0.log"), std::string("1.log"), kRotated}) {
      server_.on(kFolder + name,
                 [this, name](const testing::ApiCall& call) { return serve(name, call); });
    }
  }
  ~KubeletLogStreamTest() override {
    group_.cancel();
    testing::run_until_empty(loop_, group_);
  }

  http::Response listing() const {
    std::string body;
    for (const auto& [name, text] : files_) body += "<a href=\"" + name + "\">" + name + "</a>\n";
    return {{status_, {}}, body};
  }
  testing::ApiAnswer serve(const std::string& name, const testing::ApiCall& call) const {
    const auto file = files_.find(name);
    if (file == files_.end()) return http::Response{{404, {}}, "404 page not found\n"};
    std::string_view range = call.fields.find("Range").value_or("bytes=0-");
    range.remove_prefix(std::string_view("bytes=").size());
    range.remove_suffix(1);
    const auto begin = static_cast<std::size_t>(*parse_int64(range));
    if (begin > 0 && begin >= file->second.size())
      return http::Response{{416, {}}, "invalid range"};
    return http::Response{{206, {}}, file->second.substr(begin)};
  }
  void rotate() { files_[kRotated] = std::exchange(files_["0.log"], ""); }

  void publish() {
    registry_.publish("u1", std::make_shared<const PodRecord>(pod_));
    testing::run_until_idle(loop_);
  }
  void publish_ended() {
    pod_.containers.front().state = ContainerState::Terminated;
    publish();
  }
  void open(LogOptions options) {
    auto watch = registry_.watch(std::make_shared<const PodRecord>(pod_), loop_.executor());
    group_.spawn("session", session(std::move(watch), std::move(options)));
    testing::run_until_idle(loop_);
  }
  void wait(nanoseconds duration = seconds(3)) { clock_.advance(duration); }
  net::Task<> session(std::unique_ptr<PodWatch> watch, LogOptions options) {
    const LogServices services{client_, clock_, random_};
    auto opened = co_await open_kubelet_log(services, std::move(watch), "main", options);
    if (!opened) {
      error_ = opened.error();
      co_return;
    }
    const std::unique_ptr<LogStream> log = *std::move(opened);
    while (!log->end()) {
      const Result<> ready = co_await log->readable();
      const auto pieces = ready ? log->read() : fail(ready.error());
      if (!pieces) {
        error_ = pieces.error();
        co_return;
      }
      for (const LogPiece& piece : *pieces) out_ += piece.text;
    }
    reason_ = log->end_reason();
  }

  net::EventLoop loop_;
  testing::VirtualClock clock_{loop_};
  testing::SeededRandom random_{1};
  testing::FakeApiServer server_{loop_, clock_, random_};
  testing::FakeClusterAccess access_{server_};
  ApiClient client_{access_, clock_, random_};
  PodWatchRegistry registry_;
  PodRecord pod_ = running_pod();
  std::map<std::string, std::string> files_{{"0.log", lines(0, 3)}};
  unsigned status_ = 200;  // of the listing
  net::TaskGroup group_{loop_.executor()};

  std::string out_;
  std::optional<Error> error_;
  std::string reason_;
};

TEST_F(KubeletLogStreamTest, WholeLogIsReadOnceWithItsRotatedFiles) {
  rotate();
  files_["0.log"] = lines(4, 6);
  open({});
  EXPECT_EQ(out_, texts(0, 6));
  EXPECT_EQ(reason_, "end of logs");
}

TEST_F(KubeletLogStreamTest, PreviousRunIsReadFromItsOwnFile) {
  files_["1.log"] = lines(7, 8);
  pod_.containers.front().restarts = 1;
  open({.previous = true});
  EXPECT_EQ(out_, texts(0, 3));
  EXPECT_EQ(reason_, "end of logs");
}

TEST_F(KubeletLogStreamTest, OptionsApply) {
  open({.timestamps = true,
        .since = parse_rfc3339("2026-01-02T03:04:05.000000002Z"),
        .limit_bytes = 40});
  EXPECT_EQ(out_, "2026-01-02T03:04:05.000000002Z line 2\n20");
}

TEST_F(KubeletLogStreamTest, FollowGoesOnAtTheByteAndEndsWithTheRun) {
  open({.follow = true});
  EXPECT_EQ(out_, texts(0, 3));
  const std::string more = lines(4, 5);
  files_["0.log"] += more.substr(0, 20);
  wait();
  EXPECT_EQ(out_, texts(0, 3));
  files_["0.log"] += more.substr(20);
  wait();
  EXPECT_EQ(out_, texts(0, 5));
  publish_ended();
  wait();
  EXPECT_EQ(reason_, "container ended");
  EXPECT_EQ(out_, texts(0, 5));
}

TEST_F(KubeletLogStreamTest, FollowLosesAndRepeatsNothingOverRotation) {
  open({.follow = true});
  files_["0.log"] += lines(4, 5);
  rotate();
  files_["0.log"] = lines(6, 300);
  wait();
  EXPECT_EQ(out_, texts(0, 300));
  EXPECT_FALSE(error_);
}

TEST_F(KubeletLogStreamTest, FileThatIsRotatedBeforeItsFirstByteWasReadIsFound) {
  files_["0.log"].clear();
  open({.follow = true});
  files_["0.log"] = lines(0, 3);
  rotate();
  files_["0.log"] = lines(4, 6);
  wait();
  EXPECT_EQ(out_, texts(0, 6));
}

TEST_F(KubeletLogStreamTest, RotatedFileThatGrowsALittleIsReadToItsEnd) {
  open({.follow = true});
  rotate();
  files_["0.log"] = lines(6, 6);
  clock_.advance(milliseconds(200));
  files_[kRotated] += lines(4, 5);
  wait();
  EXPECT_EQ(out_, texts(0, 6));
}

TEST_F(KubeletLogStreamTest, LogThatWasReplacedIsSaidToBeLost) {
  open({.follow = true});
  files_["0.log"] = lines(100, 200);
  wait();
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->message, "log lines lost");
}

TEST_F(KubeletLogStreamTest, PodThatIsDeletedEndsIt) {
  open({.follow = true});
  files_.clear();
  registry_.publish("u1", nullptr);
  wait();
  EXPECT_EQ(reason_, "pod deleted");
}

TEST_F(KubeletLogStreamTest, KubeletThatRefusesIsAnErrorOfOpening) {
  status_ = 403;
  open({});
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::PermissionDenied);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
