#include "cli/copy/checksum.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(Sha256, IsAsSha256sumWritesIt) {
  Sha256 sum;
  sum.add(as_bytes("a"));
  sum.add(as_bytes("bc"));
  EXPECT_EQ(sum.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, OfNothing) {
  EXPECT_EQ(Sha256().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace sluice::cli
