#include "auth/jwt_verifier.h"

#include <cassert>
#include <cstdlib>
#include <map>
#include <utility>

#include <openssl/sha.h>

#include "auth/claims.h"
#include "auth/development_issuer.h"
#include "auth/json_web_token.h"
#include "auth/signature.h"
#include "auth/token_cache.h"
#include "net/current_executor.h"

namespace sluice::auth {
namespace {

TokenHash hash_of(std::string_view token) {
  TokenHash hash;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
  return hash;
}

/// Which keys may have signed this token. Errors: Unauthenticated: no key may have.
Accepted<std::vector<const JsonWebKey*>> candidates(const JwkSet& keys, const JoseHeader& header) {
  auto found = keys.candidates(header.key_id, header.algorithm);
  if (!found.empty()) return found;
  constexpr auto kReason = AuthenticationFailure::BadSignature;
  if (!header.key_id) return refused(kReason, "no key of this issuer goes with the algorithm");
  if (keys.has_key(*header.key_id))
    return refused(kReason, "the key with this kid goes with another algorithm");
  return refused(kReason, "no key with this kid");
}

bool verified_by_any(const std::vector<const JsonWebKey*>& keys, const JsonWebToken& token) {
  for (const JsonWebKey* key : keys) {
    if (verify_signature(*key, token.header.algorithm, token.signed_text, token.signature))
      return true;
  }
  return false;
}

}  // namespace

/// One issuer's keys as one loop knows them.
struct JwtVerifier::Keys {
  std::shared_ptr<const JwkSet> set;  // owners: the shards, and the verifications that use it
  std::uint64_t generation = 0;
};

struct JwtVerifier::Shard {
  net::EventLoop& loop;
  std::vector<Keys> keys;  // by issuer
  TokenCache verified;
  std::map<std::uint64_t, net::Event*> waiting;  // by question
  std::uint64_t questions = 0;
};

struct JwtVerifier::Issuer {
  ClaimRules rules;
  std::unique_ptr<JwkSetSource> source;  // none for the development issuer
};

JwtVerifier::JwtVerifier(std::vector<net::EventLoop*> loops, net::Timers& timers)
    : timers_(timers) {
  assert(!loops.empty());
  for (net::EventLoop* loop : loops) {
    shards_.push_back(std::make_unique<Shard>(Shard{*loop, {}, {}, {}, 0}));
  }
}

JwtVerifier::~JwtVerifier() = default;

std::size_t JwtVerifier::add_issuer(ClaimRules rules) {
  issuers_.push_back(std::make_unique<Issuer>(Issuer{std::move(rules), nullptr}));
  for (auto& shard : shards_) shard->keys.emplace_back();
  return issuers_.size() - 1;
}

void JwtVerifier::add(ClaimRules rules, JwkSet keys) {
  const std::size_t issuer = add_issuer(std::move(rules));
  const auto set = std::make_shared<const JwkSet>(std::move(keys));
  for (auto& shard : shards_) shard->keys[issuer].set = set;
}

void JwtVerifier::add(ClaimRules rules, const IssuerConfig& config, nanoseconds refresh,
                      Fetch fetch) {
  const std::size_t issuer = add_issuer(std::move(rules));
  issuers_[issuer]->source = std::make_unique<JwkSetSource>(
      config, refresh, shards_.front()->loop.executor(), timers_, std::move(fetch),
      [this, issuer](std::shared_ptr<const JwkSet> keys) { publish(issuer, std::move(keys)); });
}

void JwtVerifier::publish(std::size_t issuer, std::shared_ptr<const JwkSet> keys) {
  for (auto& shard : shards_) {
    shard->loop.post([to = shard.get(), issuer, keys] {
      to->keys[issuer].set = keys;
      ++to->keys[issuer].generation;
    });
  }
}

void JwtVerifier::start() {
  for (auto& issuer : issuers_) {
    if (issuer->source) issuer->source->start();
  }
}

net::Task<> JwtVerifier::stop() {
  for (auto& issuer : issuers_) {
    if (!issuer->source) continue;
    co_await issuer->source->stop();
  }
}

net::Task<Accepted<Caller>> JwtVerifier::verify(std::string token) {
  Shard& shard = shard_of(co_await net::current_executor());
  if (token.size() > JsonWebToken::kMaxBytes) {
    co_return refused(AuthenticationFailure::Malformed, "token too long");
  }
  const TokenHash hash = hash_of(token);
  if (const VerifiedToken* known = shard.verified.find(hash)) {
    const WallTime now = timers_.wall_now();
    // A clock that was set back may be before `nbf`: then everything is checked again.
    if (known->key_generation == shard.keys[known->issuer].generation &&
        now >= known->verified_at && now < known->caller.expires_at) {
      co_return known->caller;
    }
    shard.verified.erase(hash);
  }
  auto verified = co_await verify_new(shard, std::move(token));
  if (!verified) co_return std::unexpected(std::move(verified).error());
  Caller caller = verified->caller;
  shard.verified.insert(hash, *std::move(verified));
  co_return caller;
}

JwtVerifier::Shard& JwtVerifier::shard_of(const net::Executor& executor) {
  for (auto& shard : shards_) {
    if (shard->loop.executor() == executor) return *shard;
  }
  std::abort();  // verify() was called on a loop that the verifier was not made for
}

net::Task<Accepted<VerifiedToken>> JwtVerifier::verify_new(Shard& shard, std::string text) {
  CO_TRY(const JsonWebToken token, JsonWebToken::parse(text));
  const auto issuer = find_issuer(token.claims);
  if (!issuer) co_return refused(AuthenticationFailure::UnknownIssuer, "unknown issuer");

  if (!shard.keys[*issuer].set) {
    CO_TRY_VOID(co_await ask(shard, *issuer, JwkSetSource::Need::AnyKeys));
  }
  if (const auto keys = shard.keys[*issuer].set;
      keys && keys->candidates(token.header.key_id, token.header.algorithm).empty() &&
      !(token.header.key_id && keys->has_key(*token.header.key_id))) {
    CO_TRY_VOID(co_await ask(shard, *issuer, JwkSetSource::Need::UnknownKeyId));
  }

  const Keys keys = shard.keys[*issuer];  // keeps the set: `tried` points into it
  if (!keys.set) {
    Error error{ErrorCode::Unavailable,
                "the keys of the token's issuer can't be had now; try again"};
    error.retry_after = seconds(5);
    co_return fail(std::move(error));
  }
  CO_TRY(const std::vector<const JsonWebKey*> tried, candidates(*keys.set, token.header));
  if (!verified_by_any(tried, token)) {
    co_return refused(AuthenticationFailure::BadSignature, "signature does not match");
  }
  const WallTime now = timers_.wall_now();
  CO_TRY(Caller caller, check_claims(token.claims, issuers_[*issuer]->rules, now));
  co_return VerifiedToken{std::move(caller), *issuer, keys.generation, now};
}

std::optional<std::size_t> JwtVerifier::find_issuer(const json::object& claims) const {
  const auto name = json::find_string(claims, "iss");
  for (std::size_t i = 0; name && i < issuers_.size(); ++i) {
    if (issuers_[i]->rules.issuer == *name) return i;
  }
  return std::nullopt;
}

/// The question goes to the home loop, the answer comes back to this one: what they carry are
/// numbers, so that either may be dropped at shutdown, and the asking task be cancelled, at any
/// time.
net::Task<Result<>> JwtVerifier::ask(Shard& shard, std::size_t issuer, JwkSetSource::Need need) {
  JwkSetSource* const source = issuers_[issuer]->source.get();
  if (source == nullptr) co_return Result<>{};
  net::Event answered(shard.loop.executor());
  const std::uint64_t question = ++shard.questions;
  shard.waiting.emplace(question, &answered);
  shards_.front()->loop.post([source, need, to = &shard, question] {
    source->ask(need, [to, question] {
      to->loop.post([to, question] {
        if (const auto asker = to->waiting.find(question); asker != to->waiting.end()) {
          asker->second->notify();
        }
      });
    });
  });
  Result<> result = co_await answered.wait();
  shard.waiting.erase(question);
  co_return result;
}

Result<std::unique_ptr<JwtVerifier>> make_token_verifier(const AuthConfig& config,
                                                         std::vector<net::EventLoop*> loops,
                                                         net::Timers& timers, Fetch fetch) {
  TRY_VOID(check(config));
  auto verifier = std::make_unique<JwtVerifier>(std::move(loops), timers);
  for (const IssuerConfig& issuer : config.issuers) {
    ClaimRules rules{issuer.issuer, issuer.audiences, issuer.claims, config.leeway};
    verifier->add(std::move(rules), issuer, config.jwks_refresh, fetch);
  }
  if (config.development.enabled) {
    TRY(const DevelopmentIssuer development, DevelopmentIssuer::open(config.development.state_dir));
    TRY(JwkSet keys, JwkSet::parse(development.jwk_set()));
    verifier->add(ClaimRules{std::string(kDevelopmentIssuer), {}, {}, config.leeway},
                  std::move(keys));
  }
  return verifier;
}

}  // namespace sluice::auth
