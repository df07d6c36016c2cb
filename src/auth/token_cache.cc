#include "auth/token_cache.h"

#include <utility>

namespace sluice::auth {

const VerifiedToken* TokenCache::find(const TokenHash& hash) {
  if (const auto young = young_.find(hash); young != young_.end()) return &young->second;
  const auto old = old_.find(hash);
  if (old == old_.end()) return nullptr;
  VerifiedToken token = std::move(old->second);
  old_.erase(old);
  insert(hash, std::move(token));
  return &young_.find(hash)->second;
}

void TokenCache::insert(const TokenHash& hash, VerifiedToken token) {
  if (young_.size() >= kMaxTokens / 2) old_ = std::exchange(young_, {});
  old_.erase(hash);
  young_.insert_or_assign(hash, std::move(token));
}

void TokenCache::erase(const TokenHash& hash) {
  young_.erase(hash);
  old_.erase(hash);
}

}  // namespace sluice::auth
