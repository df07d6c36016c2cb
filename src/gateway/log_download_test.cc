#include "gateway/log_download.h"

#include "gateway/gateway_test_support.h"

namespace sluice::gateway {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

/// One block of text, then an error, from the first wait or the second.
class FailingLog final : public backend::LogStream {
 public:
  explicit FailingLog(int waits) : waits_(waits) {}

  net::Task<Result<>> readable() override {
    if (waits_-- > 0) co_return Result<>{};
    co_return fail(ErrorCode::Unavailable, "log lines lost");
  }
  Result<std::span<const backend::LogPiece>> read() override {
    if (std::exchange(read_, true)) return std::span<const backend::LogPiece>();
    return std::span<const backend::LogPiece>(&piece_, 1);
  }
  std::optional<backend::StreamEnd> end() const override { return std::nullopt; }
  std::string_view end_reason() const override { return ""; }

 private:
  int waits_;
  bool read_ = false;
  const backend::LogPiece piece_{"one\n", true};
};

class LogDownloadTest : public GatewayTest {
 protected:
  Result<Answer> download(std::unique_ptr<backend::LogStream> log) {
    testing::MemoryPipe pipe(loop);
    http::ServerConnection connection(std::move(pipe.server), clock, http::ServerLimits{});
    const http::RequestHead head;
    Exchange exchange{connection, head, clock.now(), "peer", {}, "alice"};
    const workload::ContainerRef container{kWorkload, {"p", "w-0-0", "u"}, "main"};
    Result<Answer> answer =
        testing::run(loop, send_log_download(services, exchange, container, std::move(log)));
    std::byte buffer[4096];
    const auto count = pipe.client->try_read(buffer);
    if (count && *count) sent = as_text(Bytes(buffer).first(**count));
    const auto rest = pipe.client->try_read(buffer);
    aborted = !rest;
    return answer;
  }
  std::string sent;
  bool aborted = false;
};

TEST_F(LogDownloadTest, LogThatFailsMidwayAbortsTheConnectionWithoutALastChunk) {
  const Result<Answer> answer = download(std::make_unique<FailingLog>(1));
  ASSERT_TRUE(answer);
  EXPECT_FALSE(std::get<Streamed>(*answer).whole);
  EXPECT_THAT(sent, Not(EndsWith("0\r\n\r\n")));
  EXPECT_TRUE(aborted);
}

TEST_F(LogDownloadTest, LogThatCannotBeReadAtAllIsAnError) {
  const Result<Answer> answer = download(std::make_unique<FailingLog>(0));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(sent, "");
}

TEST_F(LogDownloadTest, FileNameSaysWhatItIsOfAndWhen) {
  const workload::ContainerRef container{kWorkload, {"p", "w-0-0", "u"}, "main"};
  EXPECT_EQ(download_file_name(container, clock.wall_now() + seconds(61)),
            "w_w-0-0_main_20260101T000101Z.log");
}

}  // namespace
}  // namespace sluice::gateway
