// Any answers of something that calls itself a kubelet: listings, files, parts of them, compressed
// ones, with heads that lie. Reading a log from them ends, or waits for more, and never crashes.
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <string>

#include "backend/kubernetes/logs/kubelet_log_start.h"
#include "backend/kubernetes/logs/kubelet_log_stream.h"
#include "backend/kubernetes/logs/log_stream_test_support.h"
#include "testing/fake_api_server.h"
#include "testing/seeded_random.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace {

using namespace sluice;
using namespace sluice::backend::kubernetes;
using backend::LogOptions;

const std::string kFolder = "/logs/pods/team_train-0_u1/main/";
constexpr std::size_t kMaxRead = 4 << 20;  // of what a few compressed bytes may be

/// The input, taken apart: each answer begins with a byte for its status and one for its fields,
/// and ends before the bytes 0, 255, 0.
std::deque<http::Response> read_answers(std::string_view text) {
  constexpr unsigned kStatuses[] = {200, 206, 206, 200, 416, 404, 403, 500};
  std::deque<http::Response> answers;
  while (text.size() >= 2) {
    const auto status = static_cast<unsigned char>(text[0]);
    const auto fields = static_cast<unsigned char>(text[1]);
    text.remove_prefix(2);
    const std::size_t end = std::min(text.find(std::string_view("\0\xff\0", 3)), text.size());
    http::Response response{{kStatuses[status % 8], {}}, std::string(text.substr(0, end))};
    text.remove_prefix(std::min(end + 3, text.size()));
    if (fields & 1U) {
      const std::size_t size = response.body.size() * (fields & 2U ? 1 : 7);
      response.head.fields.add("Content-Range", "bytes 0-9/" + std::to_string(size));
    }
    if (fields & 4U) {
      response.head.fields.add("Date", "Fri, 02 Jan 2026 03:04:07 GMT");
      response.head.fields.add("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT");
    }
    answers.push_back(std::move(response));
  }
  return answers;
}

LogOptions read_options(std::uint8_t byte) {
  LogOptions options;
  options.follow = byte & 1U;
  options.previous = byte & 2U;
  options.timestamps = byte & 4U;
  if (byte & 8U) options.tail_lines = byte >> 5U;
  if (byte & 16U) options.since = WallTime(seconds(1767323045));
  return options;
}

struct Session {
  explicit Session(std::deque<http::Response> all) : answers(std::move(all)) {
    for (const char* name : {"", "0.log", "0.log.20260102-000001", "0.log.20260102-000002",
                             "0.log.20260102-000001.gz", "0.log.20260102-000002.gz"}) {
      server.on(kFolder + name, [this](const testing::ApiCall&) { return next(); });
    }
  }

  testing::ApiAnswer next() {
    if (answers.empty()) return http::Response{{404, {}}, "404 page not found\n"};
    http::Response answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }

  net::Task<> read(LogOptions options) {
    const auto record = std::make_shared<const PodRecord>(running_pod());
    std::unique_ptr<PodWatch> watch = registry.watch(record, loop.executor());
    std::string container = "main";
    auto start = co_await find_kubelet_log(client, record, std::move(container), options);
    if (!start) co_return;
    const LogServices services{client, clock, random};
    KubeletLogStream log(services, std::move(watch), "main", options, *std::move(start));
    std::size_t size = 0;
    while (!log.end() && size < kMaxRead) {
      const Result<> ready = co_await log.readable();
      if (!ready) co_return;
      const auto pieces = log.read();
      if (!pieces) co_return;
      for (const backend::LogPiece& piece : *pieces) size += piece.text.size();
    }
  }

  net::EventLoop loop;
  testing::VirtualClock clock{loop};
  testing::SeededRandom random{1};
  testing::FakeApiServer server{loop, clock, random};
  testing::FakeClusterAccess access{server};
  ApiClient client{access, clock, random};
  PodWatchRegistry registry;
  std::deque<http::Response> answers;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Session session(read_answers(text.substr(1)));
  net::TaskGroup tasks(session.loop.executor());
  tasks.spawn("log", session.read(read_options(data[0])));
  testing::run_until_idle(session.loop);
  session.clock.advance(seconds(20));
  tasks.cancel();
  testing::run_until_empty(session.loop, tasks);
  return 0;
}
