#include "gateway/gzip.h"

#define ZLIB_CONST  // its input is only read
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>

namespace sluice::gateway {
namespace {

std::string gunzip(const ws::OutputBuffer& buffer) {
  const std::string_view compressed = as_text(buffer.pending());
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<const Bytef*>(compressed.data());
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(Gzip, PiecesBecomeOneFile) {
  GzipStream gzip;
  ws::OutputBuffer compressed;
  std::string plain;
  for (int i = 0; i < 5000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    gzip.write(as_bytes(line), compressed);
    plain += line;
  }
  gzip.finish(compressed);
  EXPECT_LT(compressed.size(), plain.size() / 2);
  EXPECT_EQ(gunzip(compressed), plain);
}

TEST(Gzip, NothingIsAValidFileToo) {
  GzipStream gzip;
  ws::OutputBuffer compressed;
  gzip.finish(compressed);
  EXPECT_EQ(gunzip(compressed), "");
}

TEST(AcceptEncoding, WeightsAndWildcards) {
  const std::pair<std::vector<std::string_view>, bool> cases[] = {
      {{}, false},
      {{"gzip"}, true},
      {{"br, GZIP;q=0.5"}, true},
      {{"gzip;q=0"}, false},
      {{"gzip; q=0.000"}, false},
      {{"*"}, true},
      {{"*;q=0"}, false},
      {{"gzip;q=0, *"}, false},
      {{"*;q=0, gzip"}, true},
      {{"identity"}, false},
      {{"deflate", "gzip"}, true},
  };
  for (const auto& [lines, accepted] : cases) {
    EXPECT_EQ(accepts_gzip(lines), accepted) << (lines.empty() ? "" : lines[0]);
  }
}

}  // namespace
}  // namespace sluice::gateway
