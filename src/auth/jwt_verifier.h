// TokenVerifier by JSON Web Token: issuer by `iss`, key by `kid`, signature, claims; verified
// tokens are remembered by hash. One object serves all event loops; each has its own copy of the
// keys and its own memory, so nothing is locked. What a token says is checked in json_web_token.h,
// signature.h and claims.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auth/config.h"
#include "auth/jwk_set_source.h"
#include "auth/token_verifier.h"
#include "net/event_loop.h"
#include "net/timers.h"

namespace sluice::auth {

class JwtVerifier final : public TokenVerifier {
 public:
  struct Issuer;
  struct Shard;

  JwtVerifier(nanoseconds leeway, std::vector<std::unique_ptr<Issuer>> issuers,
              std::vector<net::EventLoop*> loops, net::Timers& timers);
  /// After stop(), when no loop runs any more.
  ~JwtVerifier() override;

  /// Starts to fetch and watch keys, on the first loop. Call there, or before it runs.
  void start();
  /// Ends that. Call on the first loop; verify() may still be called and answers from the keys it
  /// has.
  net::Task<> stop();

  net::Task<Result<Caller>> verify(std::string token) override;

 private:
  Shard& shard_of(const net::Executor& executor);
  net::Task<Result<Caller>> verify_new(Shard& shard, std::string token, std::string_view hash);

  nanoseconds leeway_;
  net::Timers& timers_;
  std::vector<std::unique_ptr<Issuer>> issuers_;
  std::vector<std::unique_ptr<Shard>> shards_;  // one a loop
};

/// Reads key files and makes the development key if need be; fetches nothing before start().
/// `loops` are all that verify() is called on; they, `timers` and what `fetch` refers to outlive
/// the verifier. Errors: InvalidArgument as from check(const AuthConfig&).
Result<std::unique_ptr<JwtVerifier>> make_token_verifier(const AuthConfig& config,
                                                         std::vector<net::EventLoop*> loops,
                                                         net::Timers& timers, Fetch fetch);

}  // namespace sluice::auth
