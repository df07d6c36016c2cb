// The reader of log lines alone: 100-byte lines in blocks of 256 KiB, as a session reads them, and
// beside it the limits: finding the line ends only, and copying the block.
#include <cstring>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "loglines/reader.h"

namespace {

using namespace sluice::loglines;

constexpr std::size_t kBlockBytes = 256 << 10;

std::string block_of_lines(std::size_t text_bytes) {
  const std::string line =
      "2026-01-01T00:00:01.000000000Z stdout F " + std::string(text_bytes, 'x') + "\n";
  std::string block;
  while (block.size() + line.size() <= kBlockBytes) block += line;
  return block;
}

void read_block(benchmark::State& state, const ReaderOptions& options) {
  const std::string source = block_of_lines(static_cast<std::size_t>(state.range(0)));
  std::string block = source;
  std::vector<Piece> pieces(8192);
  Reader reader(options);
  std::size_t lines = 0;
  for (auto _ : state) {
    if (options.timestamps == Timestamps::Keep) block = source;
    const auto progress = reader.feed(block, pieces);
    lines += progress.pieces;
    benchmark::DoNotOptimize(pieces.data());
    benchmark::ClobberMemory();
  }
  state.counters["lines"] =
      benchmark::Counter(static_cast<double>(lines), benchmark::Counter::kIsRate);
}

void BM_Strip(benchmark::State& state) { read_block(state, {}); }

void BM_KeepWithCopyOfBlock(benchmark::State& state) {
  ReaderOptions options;
  options.timestamps = Timestamps::Keep;
  read_block(state, options);
}

void BM_Since(benchmark::State& state) {
  ReaderOptions options;
  options.since = sluice::WallTime(sluice::seconds(1'767'225'600));
  read_block(state, options);
}

void BM_LimitFindLineEnds(benchmark::State& state) {
  const std::string block = block_of_lines(static_cast<std::size_t>(state.range(0)));
  std::size_t lines = 0;
  for (auto _ : state) {
    const char* at = block.data();
    const char* const end = at + block.size();
    while (const void* newline = std::memchr(at, '\n', static_cast<std::size_t>(end - at))) {
      at = static_cast<const char*>(newline) + 1;
      ++lines;
      if (at == end) break;
    }
    benchmark::DoNotOptimize(at);
  }
  state.counters["lines"] =
      benchmark::Counter(static_cast<double>(lines), benchmark::Counter::kIsRate);
}

BENCHMARK(BM_Strip)->Arg(100)->Arg(20)->Arg(1000);
BENCHMARK(BM_KeepWithCopyOfBlock)->Arg(100);
BENCHMARK(BM_Since)->Arg(100);
BENCHMARK(BM_LimitFindLineEnds)->Arg(100);

}  // namespace

BENCHMARK_MAIN();
