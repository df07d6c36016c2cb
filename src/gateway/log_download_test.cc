#include "gateway/log_download.h"

#include "gateway/gateway_test_support.h"
#include "net/yield.h"
#include "ws/held_bytes.h"

namespace sluice::gateway {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

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

/// Blocks that are all there already; each that is read is noted.
class ReadyLog final : public backend::LogStream {
 public:
  explicit ReadyLog(std::string& order) : order_(order) {}

  net::Task<Result<>> readable() override { co_return Result<>{}; }
  Result<std::span<const backend::LogPiece>> read() override {
    if (left_ == 0) return std::span<const backend::LogPiece>();
    --left_;
    order_ += 'd';
    return std::span<const backend::LogPiece>(&piece_, 1);
  }
  std::optional<backend::StreamEnd> end() const override {
    if (left_ > 0) return std::nullopt;
    return backend::StreamEnd::Completed;
  }
  std::string_view end_reason() const override { return ""; }

 private:
  std::string& order_;
  int left_ = 5;
  const backend::LogPiece piece_{"one\n", true};
};

net::Task<> yield_often(std::string& order) {
  for (int i = 0; i < 100; ++i) {
    order += 'o';
    const Result<> yielded = co_await net::yield();
    EXPECT_TRUE(yielded);
  }
}

class LogDownloadTest : public GatewayTest {
 protected:
  /// A client that asks for the log of a pod that has 1 MiB of it, and reads nothing.
  std::unique_ptr<Client> begin(std::string_view fields = kAlice) {
    auto client = std::make_unique<Client>(loop, gateway());
    client->send("GET " + std::string(kBase) + "/logs/download?pod=large HTTP/1.1\r\nHost: h\r\n" +
                 std::string(fields) + "\r\n");
    run_until_idle();
    return client;
  }
  void add_large_log() {
    auto& pod = backend.add_pod(kWorkload, "large", {"main"});
    for (int i = 0; i < 16; ++i) pod.container("main").log->append(random_line(), {});
  }
  /// 64 KiB that nothing makes smaller.
  std::string random_line() {
    std::vector<std::byte> bytes(64_KiB - 1);
    random.fill(bytes);
    std::string line(as_text(bytes));
    std::ranges::replace(line, '\n', ' ');
    return line + "\n";
  }

  Result<Answer> download(std::unique_ptr<backend::LogStream> log) {
    testing::MemoryPipe pipe(loop);
    http::ServerConnection connection(std::move(pipe.server), clock, http::ServerLimits{});
    const http::RequestHead head;
    net::Turns turns(loop.executor(), 1);
    Exchange exchange{connection, head, turns, clock.now(), "peer", {}, "alice", {}};
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
  const std::optional<Error> broke_off = std::get<Streamed>(*answer).broke_off;
  ASSERT_TRUE(broke_off);
  EXPECT_THAT(broke_off->message, StartsWith("the download is incomplete: "));
  EXPECT_THAT(sent, Not(EndsWith("0\r\n\r\n")));
  EXPECT_TRUE(aborted);
}

TEST_F(LogDownloadTest, LogThatCannotBeReadAtAllIsAnError) {
  const Result<Answer> answer = download(std::make_unique<FailingLog>(0));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(sent, "");
}

TEST_F(LogDownloadTest, DownloadsTakeTurnsWithEachOtherAndWithTheRestOfTheLoop) {
  testing::MemoryPipe pipes[] = {testing::MemoryPipe(loop), testing::MemoryPipe(loop)};
  http::RequestHead head;
  head.fields.add("Accept-Encoding", "gzip");
  net::Turns turns(loop.executor(), 1);
  const workload::ContainerRef container{kWorkload, {"p", "w-0-0", "u"}, "main"};
  std::string order;
  std::list<http::ServerConnection> connections;
  std::list<Exchange> exchanges;
  std::list<std::optional<Result<Answer>>> answers;
  net::TaskGroup tasks(loop.executor());
  for (testing::MemoryPipe& pipe : pipes) {
    connections.emplace_back(std::move(pipe.server), clock, http::ServerLimits{});
    exchanges.push_back({connections.back(), head, turns, clock.now(), "peer", {}, "alice", {}});
    auto download =
        send_log_download(services, exchanges.back(), container, std::make_unique<ReadyLog>(order));
    tasks.spawn("download", testing::store_result(std::move(download), answers.emplace_back()));
  }
  tasks.spawn("others", yield_often(order));
  testing::run_until_empty(loop, tasks);
  EXPECT_EQ(std::ranges::count(order, 'd'), 10);
  EXPECT_THAT(order, Not(HasSubstr("dd")));
}

TEST_F(LogDownloadTest, DownloadHasASessionsPlaceUntilItsEnd) {
  add_large_log();
  auto first = begin();
  const auto second = begin();
  EXPECT_EQ(limits.running(), 2u);
  const auto refused = begin();
  EXPECT_THAT(refused->received(), ::testing::StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(refused->received(), HasSubstr("Retry-After: 5\r\n"));
  EXPECT_THAT(refused->received(), HasSubstr("you already have 2 sessions"));
  first.reset();
  run_until_idle();
  EXPECT_EQ(limits.running(), 1u);
  EXPECT_THAT(begin()->received(), ::testing::StartsWith("HTTP/1.1 200 "));
}

TEST_F(LogDownloadTest, ConnectionThatTheHeadKeepsTakesTheNextRequestOfAServerThatEndsMeanwhile) {
  add_large_log();
  const auto client = begin();
  stage = Stage::Draining;
  client->send("GET /cluster-api/status HTTP/1.1\r\nHost: h\r\n" + std::string(kAlice) + "\r\n");
  std::string received;
  while (!client->ended && !client->reset) {
    run_until_idle();
    received = client->received();
  }
  EXPECT_FALSE(client->reset);
  EXPECT_TRUE(received.contains("\r\n0\r\n\r\nHTTP/1.1 200 "));
  EXPECT_THAT(received, HasSubstr("Connection: close\r\n"));
}

TEST_F(LogDownloadTest, WhatAClientHasYetToTakeIsCounted) {
  add_large_log();
  const std::size_t before = ws::held_bytes();
  auto plain = begin();
  EXPECT_GE(ws::held_bytes() - before, 256_KiB);
  plain.reset();
  run_until_idle();
  EXPECT_EQ(ws::held_bytes(), before);
  auto compressed = begin(std::string(kAlice) + "Accept-Encoding: gzip\r\n");
  EXPECT_GE(ws::held_bytes() - before, 512_KiB);  // and what the compression takes
  compressed.reset();
  run_until_idle();
  EXPECT_EQ(ws::held_bytes(), before);
}

TEST_F(LogDownloadTest, FileNameSaysWhatItIsOfAndWhen) {
  const workload::ContainerRef container{kWorkload, {"p", "w-0-0", "u"}, "main"};
  EXPECT_EQ(download_file_name(container, clock.wall_now() + seconds(61)),
            "w_w-0-0_main_20260101T000101Z.log");
}

}  // namespace
}  // namespace sluice::gateway
