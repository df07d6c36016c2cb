#include "cli/cluster/credentials.h"

#include "base/bytes.h"
#include "base/file.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kMaxTokenBytes = 64_KiB;

/// What a file holds, without the line's end.
Result<std::string> read_secret(const std::string& file) {
  TRY(std::string text, read_file(file, kMaxTokenBytes));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

Result<OAuthClient> oauth_client(const Settings& settings, const Environment& environment) {
  OAuthClient client;
  client.id = settings.client_id;
  client.secret = environment.get("SLUICE_CLIENT_SECRET").value_or("");
  if (client.secret.empty() && !settings.client_secret_file.empty()) {
    Result<std::string> secret = read_secret(settings.client_secret_file);
    if (!secret) {
      return fail(ErrorCode::InvalidArgument,
                  settings.client_secret_file + ": no secret there: " + secret.error().message);
    }
    client.secret = *std::move(secret);
  }
  if (!client.id.empty()) return client;
  return fail(ErrorCode::InvalidArgument, "as which client? Give --client-id");
}

Credentials::Credentials(const Settings& settings, const Environment& environment,
                         Connector& connector, net::Timers& timers)
    : settings_(settings),
      environment_(environment),
      connector_(connector),
      timers_(timers),
      store_(settings.config_file, settings.cluster),
      token_(settings.token) {}

net::Task<Result<std::string>> Credentials::token() {
  if (!token_.empty()) co_return token_;
  if (settings_.token_file.empty()) co_return co_await login_token();
  Result<std::string> text = read_secret(settings_.token_file);
  if (!text) {
    co_return fail(ErrorCode::Unauthenticated,
                   settings_.token_file + ": no token there: " + text.error().message);
  }
  if (text->empty()) {
    co_return fail(ErrorCode::Unauthenticated,
                   settings_.token_file + ": no token there: it is empty");
  }
  co_return text;
}

net::Task<Result<std::string>> Credentials::login_token() {
  CO_TRY(const std::optional<Tokens> stored, store_.read());
  if (!stored) {
    co_return fail(ErrorCode::Unauthenticated,
                   "no token: run `sluice login`, set SLUICE_TOKEN, or name a file that has one "
                   "with --token-file");
  }
  if (is_fresh(*stored)) co_return stored->access;
  const Result<Tokens> renewed = co_await renew();
  if (renewed) co_return renewed->access;
  // It is renewed early, so there may be time for another try.
  if (timers_.wall_now() < *stored->expires_at) co_return stored->access;
  if (renewed.error().code != ErrorCode::Unauthenticated) co_return fail(renewed.error());
  co_return fail(ErrorCode::Unauthenticated,
                 "the login has expired: run `sluice login` (" + renewed.error().message + ")");
}

/// Of several that want it at once, one does it, and the others take what it got.
net::Task<Result<Tokens>> Credentials::renew() {
  CO_TRY(const UniqueFd lock, co_await store_.lock(timers_));
  CO_TRY(std::optional<Tokens> stored, store_.read());
  if (!stored) co_return fail(ErrorCode::Unauthenticated, "somebody has logged out");
  if (is_fresh(*stored)) co_return *stored;
  CO_TRY(const Tokens tokens, co_await request(*std::move(stored)));
  CO_TRY_VOID(store_.write(tokens));
  co_return tokens;
}

net::Task<Result<Tokens>> Credentials::request(Tokens old) {
  CO_TRY(const OAuthClient client, oauth_client(settings_, environment_));
  if (old.refresh.empty() && client.secret.empty()) {
    co_return fail(ErrorCode::Unauthenticated, "there is no refresh token");
  }
  CO_TRY(OpenIdProvider provider,
         co_await OpenIdProvider::discover(connector_, timers_, settings_.issuer));
  if (!old.refresh.empty()) co_return co_await provider.by_refresh_token(client, old.refresh);
  co_return co_await provider.by_client_credentials(client);
}

bool Credentials::is_fresh(const Tokens& tokens) const {
  return !tokens.expires_at || timers_.wall_now() + kRenewal < *tokens.expires_at;
}

}  // namespace sluice::cli
