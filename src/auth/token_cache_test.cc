#include "auth/token_cache.h"

#include <gtest/gtest.h>

namespace sluice::auth {
namespace {

TokenHash hash_of(std::size_t number) {
  TokenHash hash{};
  std::memcpy(hash.data(), &number, sizeof number);
  return hash;
}

VerifiedToken token(std::string user) { return {{std::move(user), {}, {}}, 0, 0, {}}; }

TEST(TokenCache, RemembersUntilErased) {
  TokenCache cache;
  EXPECT_EQ(cache.find(hash_of(1)), nullptr);
  cache.insert(hash_of(1), token("alice"));
  ASSERT_NE(cache.find(hash_of(1)), nullptr);
  EXPECT_EQ(cache.find(hash_of(1))->caller.user, "alice");
  cache.erase(hash_of(1));
  EXPECT_EQ(cache.find(hash_of(1)), nullptr);
}

TEST(TokenCache, InsertReplaces) {
  TokenCache cache;
  cache.insert(hash_of(1), token("alice"));
  cache.insert(hash_of(1), token("bob"));
  EXPECT_EQ(cache.find(hash_of(1))->caller.user, "bob");
  EXPECT_EQ(cache.size(), 1U);
}

TEST(TokenCache, IsBoundedAndKeepsWhatIsUsed) {
  TokenCache cache;
  cache.insert(hash_of(0), token("often"));
  for (std::size_t i = 1; i < 5 * TokenCache::kMaxTokens; ++i) {
    cache.insert(hash_of(i), token("once"));
    ASSERT_LE(cache.size(), TokenCache::kMaxTokens);
    ASSERT_NE(cache.find(hash_of(0)), nullptr) << i;
  }
  EXPECT_EQ(cache.find(hash_of(1)), nullptr);
}

}  // namespace
}  // namespace sluice::auth
