// Reader against the reference: whatever the log and however it is cut up, the same lines.
#include <cstdlib>

#include "loglines/reference_reader.h"
#include "loglines/tail_finder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  using namespace sluice::loglines;
  if (size < 2) return 0;
  ReaderOptions options;
  const unsigned choice = data[0];
  if ((choice & 1) != 0) options.format = Format::Stamped;
  if ((choice & 2) != 0) options.timestamps = Timestamps::Keep;
  if ((choice & 4) != 0) options.since = WallTime(seconds(1'767'225'602));
  if ((choice & 8) != 0) options.limit_bytes = 1 + (choice >> 4) * 10;
  const std::size_t block = std::size_t{data[1]} + 1;
  const std::string_view log(reinterpret_cast<const char*>(data) + 2, size - 2);

  const auto lines = read_lines(log, options, block, Reader::kMinPieces + block % 5);
  if (lines != reference_lines(log, options)) std::abort();

  TailFinder finder(block % 7, LogEnd::Final);
  const std::size_t done = finder.feed_backward(log, true);
  if (done > log.size() || finder.start().first() > log.size()) std::abort();
  return 0;
}
