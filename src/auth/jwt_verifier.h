// TokenVerifier by JSON Web Token: issuer by `iss`, key by `kid`, signature, claims; verified
// tokens are remembered by hash. One object serves all event loops; each has its own copy of the
// keys and its own memory, so nothing is locked. What a token says is checked in json_web_token.h,
// signature.h and claims.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/claims.h"
#include "auth/jwk_set_source.h"
#include "auth/token_cache.h"
#include "auth/token_verifier.h"
#include "net/event_loop.h"
#include "net/timers.h"

namespace sluice::auth {

class JwtVerifier final : public TokenVerifier {
 public:
  /// `loops` (at least one) are all that verify() is called on; they outlive the verifier.
  JwtVerifier(std::vector<net::EventLoop*> loops, net::Timers& timers);
  /// After stop(), when no loop runs any more.
  ~JwtVerifier() override;

  /// Accepts tokens of an issuer with these keys, or with those that its configuration leads to.
  /// Before the loops run.
  void add(ClaimRules rules, JwkSet keys);
  void add(ClaimRules rules, const IssuerConfig& config, nanoseconds refresh, Fetch fetch);

  /// Starts to load and refresh keys, on the first loop. Call there, or before it runs.
  void start();
  /// Ends that. Call on the first loop; verify() goes on with the keys there are.
  net::Task<> stop();

  net::Task<Accepted<Caller>> verify(std::string token) override;

 private:
  struct Issuer;
  struct Keys;
  struct Shard;

  std::size_t add_issuer(ClaimRules rules);
  void publish(std::size_t issuer, std::shared_ptr<const JwkSet> keys);
  Shard& shard_of(const net::Executor& executor);
  net::Task<Accepted<VerifiedToken>> verify_new(Shard& shard, std::string text);
  std::optional<std::size_t> find_issuer(const json::object& claims) const;
  net::Task<Result<>> ask(Shard& shard, std::size_t issuer, JwkSetSource::Need need);

  net::Timers& timers_;
  std::vector<std::unique_ptr<Issuer>> issuers_;
  std::vector<std::unique_ptr<Shard>> shards_;  // one a loop
};

/// The verifier that the configuration describes, not yet started. Reads key files and makes the
/// development key if need be. `timers` and what `fetch` refers to outlive it.
/// Errors: InvalidArgument as from check(const AuthConfig&); Unavailable (development key not
/// writable).
Result<std::unique_ptr<JwtVerifier>> make_token_verifier(const AuthConfig& config,
                                                         std::vector<net::EventLoop*> loops,
                                                         net::Timers& timers, Fetch fetch);

}  // namespace sluice::auth
