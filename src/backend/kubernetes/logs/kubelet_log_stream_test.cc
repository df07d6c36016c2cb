#include "backend/kubernetes/logs/kubelet_log_stream.h"

#include "backend/kubernetes/logs/kubelet_test_support.h"

namespace sluice::backend::kubernetes {
namespace {

using KubeletLogStreamTest = KubeletLogTest;

TEST_F(KubeletLogStreamTest, WholeLogIsReadOnceWithAllItsRotatedFiles) {
  for (int file = 0; file < 4; ++file) {
    kubelet_.file("0.log") = log_records(4 * file, 4 * file + 3);
    kubelet_.rotate();
  }
  kubelet_.is_quiet = true;
  kubelet_.file("0.log") = log_records(16, 20);
  EXPECT_EQ(read({}), texts(0, 20));
  EXPECT_EQ(reason_, "end of logs");
}

TEST_F(KubeletLogStreamTest, PreviousRunIsReadFromItsOwnFiles) {
  kubelet_.rotate();
  kubelet_.rotate();
  kubelet_.file("0.log") = log_records(4, 6);
  kubelet_.file("1.log") = log_records(7, 8);
  kubelet_.is_quiet = true;
  pod_.containers.front().restarts = 1;
  EXPECT_EQ(read({.previous = true}), texts(0, 6));
  EXPECT_EQ(reason_, "end of logs");
  EXPECT_EQ(read({}), texts(7, 8));
}

TEST_F(KubeletLogStreamTest, OptionsApply) {
  EXPECT_EQ(read({.timestamps = true,
                  .since = parse_rfc3339("2026-01-02T03:04:05.000000002Z"),
                  .limit_bytes = 40}),
            "2026-01-02T03:04:05.000000002Z line 2\n20");
}

TEST_F(KubeletLogStreamTest, FollowGoesOnAtTheByteAndEndsWithTheRun) {
  open({.follow = true});
  EXPECT_EQ(out_, texts(0, 3));
  const std::string more = log_records(4, 5);
  kubelet_.file("0.log") += more.substr(0, 20);
  wait();
  EXPECT_EQ(out_, texts(0, 3));
  kubelet_.file("0.log") += more.substr(20);
  wait();
  EXPECT_EQ(out_, texts(0, 5));
  publish_ended();
  wait();
  EXPECT_EQ(reason_, "container ended");
  EXPECT_EQ(out_, texts(0, 5));
}

TEST_F(KubeletLogStreamTest, FollowLosesAndRepeatsNothingOverRotation) {
  open({.follow = true});
  kubelet_.file("0.log") += log_records(4, 5);
  kubelet_.rotate();
  kubelet_.file("0.log") = log_records(6, 300);
  wait();
  EXPECT_EQ(out_, texts(0, 300));
  EXPECT_FALSE(error_);
}

TEST_F(KubeletLogStreamTest, FollowGoesOnInTheMiddleOfAFileThatWasCompressedMeanwhile) {
  open({.follow = true});
  for (int file = 0; file < 3; ++file) {
    kubelet_.file("0.log") += log_records(4 + 100 * file, 103 + 100 * file);
    kubelet_.rotate();
  }
  wait();
  EXPECT_EQ(out_, texts(0, 303));
  EXPECT_FALSE(error_);
}

TEST_F(KubeletLogStreamTest, WhateverIsWrittenAndRotatedWhileItIsFollowedComesOnce) {
  for (unsigned seed = 1; seed <= 150; ++seed) {
    testing::SeededRandom random{seed};
    kubelet_.remove_all();
    kubelet_.file("0.log").clear();
    kubelet_.is_quiet = random.next() % 2 == 0;
    server_.set_fragment(1 + random.next() % 2000);
    std::string written;
    int line = 0;
    std::string under_way;  // of a record
    const auto write = [&](std::string& file) {
      const int count = static_cast<int>(random.next() % 60);
      under_way += log_records(line, line + count);
      written += texts(line, line + count);
      line += count + 1;
      const std::size_t size = under_way.size() - random.next() % 30;
      file += under_way.substr(0, size);
      under_way.erase(0, size);
    };
    open({.follow = true});
    for (int step = 0; step < 12; ++step) {
      write(kubelet_.file("0.log"));
      if (random.next() % 2 == 0) {
        kubelet_.file("0.log") += std::exchange(under_way, "");  // the runtime writes whole records
        kubelet_.rotate();
      }
      wait(milliseconds(random.next() % 1500));
    }
    kubelet_.file("0.log") += under_way;
    wait(seconds(30));
    ASSERT_FALSE(error_) << seed << ": " << error_->message;
    ASSERT_TRUE(out_ == written) << seed;
    close();
  }
}

TEST_F(KubeletLogStreamTest, FileThatIsRotatedBeforeItsFirstByteWasReadIsFound) {
  kubelet_.file("0.log").clear();
  open({.follow = true});
  kubelet_.file("0.log") = log_records(0, 3);
  kubelet_.rotate();
  kubelet_.file("0.log") = log_records(4, 6);
  wait();
  EXPECT_EQ(out_, texts(0, 6));
}

TEST_F(KubeletLogStreamTest, RotatedFileThatGrowsALittleIsReadToItsEnd) {
  open({.follow = true});
  kubelet_.rotate();
  kubelet_.file("0.log") = log_records(6, 6);
  clock_.advance(milliseconds(200));
  kubelet_.file("0.log.20260102-000001") += log_records(4, 5);
  wait();
  EXPECT_EQ(out_, texts(0, 6));
}

TEST_F(KubeletLogStreamTest, RotationThatTheKubeletTakesBackIsNoLoss) {
  open({.follow = true});
  kubelet_.file("0.log") += log_records(4, 5);
  kubelet_.rotate();
  kubelet_.remove("0.log");
  clock_.advance(milliseconds(150));
  kubelet_.file("0.log") = kubelet_.file("0.log.20260102-000001") + log_records(6, 8);
  kubelet_.remove("0.log.20260102-000001");
  wait();
  EXPECT_EQ(out_, texts(0, 8));
  EXPECT_FALSE(error_);
}

TEST_F(KubeletLogStreamTest, OneShotThatFindsTheOldestFileRemovedBeginsWithTheNext) {
  kubelet_.rotate();
  kubelet_.rotate();
  kubelet_.file("0.log") = log_records(4, 6);
  kubelet_.is_quiet = true;
  server_.on(kLogFolder + "0.log.20260102-000001.gz", [this](const testing::ApiCall&) {
    kubelet_.remove("0.log.20260102-000001.gz");
    return http::Response{{404, {}}, "404 page not found\n"};
  });
  EXPECT_EQ(read({}), texts(4, 6));
  EXPECT_EQ(reason_, "end of logs");
}

TEST_F(KubeletLogStreamTest, OneShotWhoseFilesAreAllRemovedHasLostThem) {
  kubelet_.rotate();
  kubelet_.file("0.log") = log_records(4, 6);
  server_.on(kLogFolder + "0.log.20260102-000001", [this](const testing::ApiCall&) {
    kubelet_.remove_all();
    return http::Response{{404, {}}, "404 page not found\n"};
  });
  open({});
  wait();
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->message, "log lines lost");
}

TEST_F(KubeletLogStreamTest, LogThatWasReplacedIsSaidToBeLost) {
  open({.follow = true});
  kubelet_.file("0.log") = log_records(100, 200);
  wait();
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->message, "log lines lost");
}

TEST_F(KubeletLogStreamTest, FilesThatWereRemovedBeforeTheyWereReadAreSaidToBeLost) {
  open({.follow = true});
  for (int file = 1; file <= 5; ++file) {
    kubelet_.file("0.log") += log_records(4 * file, 4 * file + 3);
    kubelet_.rotate(2);
  }
  wait();
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->message, "log lines lost");
  EXPECT_EQ(out_, texts(0, 3));
}

TEST_F(KubeletLogStreamTest, DamagedFileIsReadAsFarAsItGoesAndThenNamed) {
  kubelet_.file("0.log") = log_records(0, 30'000);
  kubelet_.rotate();
  kubelet_.rotate();
  kubelet_.is_quiet = true;
  std::string& compressed = kubelet_.file("0.log.20260102-000001.gz");
  compressed.resize(compressed.size() / 2);
  read({});
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::Unavailable);
  EXPECT_EQ(error_->message,
            "log lines lost: 0.log.20260102-000001.gz is damaged; sinceTime reads what follows");
  EXPECT_TRUE(texts(0, 30'000).starts_with(out_));
  EXPECT_GT(out_.size(), 10'000U);

  compressed = "no gzip";
  EXPECT_EQ(read({}), "");
  EXPECT_TRUE(error_);
}

TEST_F(KubeletLogStreamTest, ConnectionThatIsLostInACompressedFileIsMadeUpFor) {
  std::string noise;
  for (int i = 0; i < 20'000; ++i) noise += static_cast<char>('a' + random_.next() % 26);
  kubelet_.file("0.log") = log_records(0, 3) + "2026-01-02T03:04:06.000000000Z stdout F " + noise;
  kubelet_.file("0.log") += "\n" + log_records(4, 5);
  kubelet_.rotate();
  kubelet_.rotate();
  kubelet_.is_quiet = true;
  const std::string name = "0.log.20260102-000001.gz";
  const std::string compressed = kubelet_.file(name);
  bool cut = false;
  server_.on(kLogFolder + name, [&](const testing::ApiCall&) -> testing::ApiAnswer {
    if (std::exchange(cut, true)) return http::Response{{200, {}}, compressed};
    auto body = std::make_shared<testing::FakeBody>();
    body->write(std::string_view(compressed).substr(0, compressed.size() / 2));
    body->cut();
    return body;
  });
  open({});
  wait();
  EXPECT_FALSE(error_);
  EXPECT_EQ(out_, texts(0, 3) + noise + "\n" + texts(4, 5));
}

TEST_F(KubeletLogStreamTest, PodThatIsDeletedEndsIt) {
  open({.follow = true});
  kubelet_.remove_all();
  registry_.publish("u1", nullptr);
  wait();
  EXPECT_EQ(reason_, "pod deleted");
}

TEST_F(KubeletLogStreamTest, KubeletThatHasYetToAskWhoMayReadIsNoWithdrawal) {
  open({.follow = true});
  kubelet_.listing_status = kubelet_.file_status = 403;
  kubelet_.file("0.log") += log_records(4, 5);
  wait(ApiClient::kDenialPatience / 2);
  kubelet_.listing_status = kubelet_.file_status = 200;
  wait();
  EXPECT_FALSE(error_);
  EXPECT_EQ(out_, texts(0, 5));
  kubelet_.listing_status = kubelet_.file_status = 403;  // patience begins anew
  wait(ApiClient::kDenialPatience / 2);
  EXPECT_FALSE(error_);
}

TEST_F(KubeletLogStreamTest, PermissionThatIsWithdrawnIsAnErrorAfterAWhile) {
  open({.follow = true});
  kubelet_.listing_status = kubelet_.file_status = 403;
  wait(ApiClient::kDenialPatience / 2);
  EXPECT_FALSE(error_);
  wait(ApiClient::kDenialPatience);
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::PermissionDenied);
}

TEST_F(KubeletLogStreamTest, FollowOfALineASecondAsksHardlyMoreOften) {
  open({.follow = true});
  wait(seconds(10));
  const int requests = kubelet_.requests;
  for (int n = 4; n < 34; ++n) {
    kubelet_.file("0.log") += log_records(n, n);
    wait(seconds(1));
  }
  EXPECT_LE(kubelet_.requests - requests, 45);
  EXPECT_TRUE(out_.starts_with(texts(0, 32)));
}

TEST_F(KubeletLogStreamTest, FollowOfManyLinesAsksTenTimesASecond) {
  open({.follow = true});
  wait(seconds(10));
  int n = 4;
  const auto log_for = [&](seconds duration) {
    for (auto i = duration / milliseconds(50); i > 0; --i, ++n) {
      kubelet_.file("0.log") += log_records(n, n);
      wait(milliseconds(50));
    }
  };
  log_for(seconds(3));
  const int requests = kubelet_.requests;
  log_for(seconds(10));
  EXPECT_EQ(kubelet_.requests - requests, 100);
}

TEST_F(KubeletLogStreamTest, IdleFollowAsksOnceASecond) {
  open({.follow = true});
  wait(seconds(10));
  const int requests = kubelet_.requests;
  wait(seconds(10));
  EXPECT_EQ(kubelet_.requests - requests, 10);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
