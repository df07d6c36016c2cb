// Which tokens were verified, so that a client that comes again doesn't cost a signature again. One
// a loop, so nothing is locked; bounded, so nobody can make it grow.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <unordered_map>

#include "auth/caller.h"

namespace sluice::auth {

/// SHA-256 of the token: the cache never holds the token itself.
using TokenHash = std::array<unsigned char, 32>;

struct VerifiedToken {
  Caller caller;
  std::size_t issuer;            // by index
  std::uint64_t key_generation;  // of the issuer's keys that it was verified with
  WallTime verified_at;
};

class TokenCache {
 public:
  /// What is kept at most: the last half of this for sure.
  static constexpr std::size_t kMaxTokens = 10'000;

  /// nullptr when it isn't known. Valid until the next call.
  const VerifiedToken* find(const TokenHash& hash);
  void insert(const TokenHash& hash, VerifiedToken token);
  void erase(const TokenHash& hash);
  std::size_t size() const { return young_.size() + old_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const TokenHash& hash) const {
      std::size_t prefix;
      std::memcpy(&prefix, hash.data(), sizeof prefix);
      return prefix;
    }
  };
  using Generation = std::unordered_map<TokenHash, VerifiedToken, Hash>;

  // Two generations approximate "least recently used": what is found moves to the young one, and
  // when that is full, it becomes the old one and the old one is dropped.
  Generation young_;
  Generation old_;
};

}  // namespace sluice::auth
