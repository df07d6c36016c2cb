#include "cli/cluster/open_id_provider.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/text.h"
#include "http/status.h"
#include "net/deadline.h"

namespace sluice::cli {
namespace {

using http::status::kOk;

constexpr std::size_t kMaxBodyBytes = 1_MiB;
constexpr nanoseconds kPatience = seconds(20);
constexpr std::string_view kDeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";
/// What RFC 8628 3.2 and 3.5 have where the provider says nothing.
constexpr nanoseconds kDeviceInterval = seconds(5);
constexpr nanoseconds kSlowDown = seconds(5);
constexpr nanoseconds kDeviceLifetime = std::chrono::minutes(10);

std::unexpected<Error> refused(const std::string& url, unsigned status, const json::object& body) {
  const std::string code = json::text_of(body, "error");
  const std::string words = json::text_of(body, "error_description");
  std::string why = words.empty() ? code : words;
  if (why.empty()) why = fmt::format("it answered {} {}", status, http::reason_phrase(status));
  return fail(ErrorCode::Unauthenticated, fmt::format("{}: {}", url, why));
}

/// An endpoint that secrets may be sent to; "" where there is none.
Result<std::string> endpoint(const json::object& document, std::string_view name) {
  const std::string url = json::text_of(document, name);
  if (url.empty()) return url;
  TRY(const http::Url parsed, http::parse_url(url));
  if (http::is_confidential(parsed)) return url;
  return fail(ErrorCode::InvalidArgument,
              fmt::format("the issuer's {} is {}: secrets go to https only", name, url));
}

/// nullopt: there is none. A longer one than kLongestDuration is that.
std::optional<nanoseconds> find_seconds(const json::object& body, std::string_view name) {
  constexpr auto kMost = std::chrono::duration_cast<seconds>(kLongestDuration);
  const auto value = json::find_int64(body, name);
  if (!value) return std::nullopt;
  return seconds(std::clamp<std::int64_t>(*value, 0, kMost.count()));
}

nanoseconds seconds_of(const json::object& body, std::string_view name, nanoseconds otherwise) {
  const std::optional<nanoseconds> value = find_seconds(body, name);
  return value && *value > nanoseconds(0) ? *value : otherwise;
}

net::Task<Result<http::Response>> send(Connector& connector, http::Url url,
                                       http::ClientRequest request) {
  CO_TRY(std::unique_ptr<net::Stream> stream,
         co_await connector.connect(url, Connector::Peer::Issuer));
  http::ClientConnection connection(std::move(stream));
  http::Response response;
  CO_TRY(response.head, co_await connection.send(std::move(request)));
  CO_TRY(response.body, co_await connection.read_whole_body(kMaxBodyBytes));
  co_return response;
}

}  // namespace

net::Task<Result<OpenIdProvider>> OpenIdProvider::discover(Connector& connector,
                                                           net::Timers& timers,
                                                           std::string issuer) {
  CO_TRY(const http::Url url, http::parse_url(issuer));
  if (!http::is_confidential(url)) {
    co_return fail(ErrorCode::InvalidArgument, "the issuer is no https URL: " + issuer);
  }
  std::string base = issuer;
  while (base.ends_with('/')) base.pop_back();
  OpenIdProvider provider(connector, timers);
  http::ClientRequest request;
  CO_TRY(const Answer answer, co_await provider.exchange(base + "/.well-known/openid-configuration",
                                                         std::move(request)));
  if (answer.status != kOk) {
    co_return fail(ErrorCode::Unavailable,
                   fmt::format("{} is no OpenID Connect issuer: its discovery answers {}", issuer,
                               answer.status));
  }
  // OpenID Connect Discovery 4.3: otherwise it speaks for somebody else.
  if (const std::string name = json::text_of(answer.body, "issuer"); name != issuer) {
    co_return fail(ErrorCode::InvalidArgument,
                   fmt::format("{} calls itself {}; use that name", issuer, name));
  }
  CO_TRY(provider.token_endpoint_, endpoint(answer.body, "token_endpoint"));
  CO_TRY(provider.device_endpoint_, endpoint(answer.body, "device_authorization_endpoint"));
  CO_TRY(provider.revocation_endpoint_, endpoint(answer.body, "revocation_endpoint"));
  if (provider.token_endpoint_.empty()) {
    co_return fail(ErrorCode::InvalidArgument, issuer + " hands out no tokens");
  }
  co_return provider;
}

net::Task<Result<Tokens>> OpenIdProvider::by_client_credentials(OAuthClient client) {
  Form form{{"grant_type", "client_credentials"}};
  return grant(std::move(client), std::move(form));
}

net::Task<Result<Tokens>> OpenIdProvider::by_password(OAuthClient client, std::string user,
                                                      std::string password) {
  Form form{{"grant_type", "password"}, {"username", user}, {"password", password}};
  return grant(std::move(client), std::move(form));
}

net::Task<Result<Tokens>> OpenIdProvider::by_refresh_token(OAuthClient client,
                                                           std::string refresh_token) {
  Form form{{"grant_type", "refresh_token"}, {"refresh_token", refresh_token}};
  client.scope.clear();  // the same as before
  CO_TRY(Tokens tokens, co_await grant(std::move(client), std::move(form)));
  if (tokens.refresh.empty()) tokens.refresh = refresh_token;
  co_return tokens;
}

net::Task<Result<DeviceCode>> OpenIdProvider::begin_device(OAuthClient client) {
  if (device_endpoint_.empty()) {
    co_return fail(ErrorCode::InvalidArgument,
                   "the issuer can't confirm logins in a browser; use --user or a client's secret");
  }
  Form none;
  CO_TRY(const Answer answer, co_await post(device_endpoint_, std::move(client), std::move(none)));
  if (answer.status != kOk) co_return refused(device_endpoint_, answer.status, answer.body);
  DeviceCode device;
  device.code = json::text_of(answer.body, "device_code");
  device.user_code = json::text_of(answer.body, "user_code");
  device.url = json::text_of(answer.body, "verification_uri_complete");
  if (device.url.empty()) device.url = json::text_of(answer.body, "verification_uri");
  device.lifetime = seconds_of(answer.body, "expires_in", kDeviceLifetime);
  device.interval = seconds_of(answer.body, "interval", kDeviceInterval);
  co_return device;
}

net::Task<Result<Tokens>> OpenIdProvider::by_device(OAuthClient client, DeviceCode device) {
  const Form form{{"grant_type", std::string(kDeviceGrant)}, {"device_code", device.code}};
  const MonotonicTime deadline = timers_->now() + device.lifetime;
  while (timers_->now() < deadline) {
    CO_TRY_VOID(co_await timers_->sleep_for(device.interval));
    CO_TRY(const Answer answer, co_await post(token_endpoint_, client, form));
    if (answer.status == kOk) co_return tokens_of(answer.body);
    const std::string error = json::text_of(answer.body, "error");
    if (error == "slow_down") device.interval += kSlowDown;
    if (error != "authorization_pending" && error != "slow_down") {
      co_return refused(token_endpoint_, answer.status, answer.body);
    }
  }
  co_return fail(ErrorCode::Unauthenticated, "the login was not confirmed in time");
}

net::Task<Result<>> OpenIdProvider::revoke(OAuthClient client, std::string refresh_token) {
  Form form{{"token", refresh_token}, {"token_type_hint", "refresh_token"}};
  client.scope.clear();
  CO_TRY(const Answer answer,
         co_await post(revocation_endpoint_, std::move(client), std::move(form)));
  if (answer.status != kOk) co_return refused(revocation_endpoint_, answer.status, answer.body);
  co_return Result<>{};
}

net::Task<Result<Tokens>> OpenIdProvider::grant(OAuthClient client, Form form) {
  CO_TRY(const Answer answer, co_await post(token_endpoint_, std::move(client), std::move(form)));
  if (answer.status != kOk) co_return refused(token_endpoint_, answer.status, answer.body);
  co_return tokens_of(answer.body);
}

Result<Tokens> OpenIdProvider::tokens_of(const json::object& body) const {
  Tokens tokens{json::text_of(body, "access_token"), json::text_of(body, "refresh_token"), {}};
  if (tokens.access.empty()) {
    return fail(ErrorCode::Unauthenticated, token_endpoint_ + ": there is no token in its answer");
  }
  if (const auto lifetime = find_seconds(body, "expires_in")) {
    tokens.expires_at = timers_->wall_now() + *lifetime;
  }
  return tokens;
}

/// A client with a secret shows it as every provider must take it (RFC 6749 2.3.1).
net::Task<Result<OpenIdProvider::Answer>> OpenIdProvider::post(std::string url, OAuthClient client,
                                                               Form form) {
  http::ClientRequest request;
  request.method = "POST";
  request.fields.add("Content-Type", "application/x-www-form-urlencoded");
  if (client.secret.empty()) {
    form.emplace_back("client_id", client.id);
  } else {
    const std::string pair = percent_encode(client.id) + ":" + percent_encode(client.secret);
    request.fields.add("Authorization", "Basic " + base64_encode(as_bytes(pair)));
  }
  if (!client.scope.empty()) form.emplace_back("scope", client.scope);
  for (const auto& [name, value] : form) {
    if (!request.body.empty()) request.body += '&';
    request.body += name + "=" + percent_encode(value);
  }
  co_return co_await exchange(std::move(url), std::move(request));
}

net::Task<Result<OpenIdProvider::Answer>> OpenIdProvider::exchange(std::string url,
                                                                   http::ClientRequest request) {
  CO_TRY(http::Url parsed, http::parse_url(url));
  request.target = parsed.target;
  request.fields.add("Host", parsed.authority);
  request.fields.add("User-Agent", "sluice");
  request.fields.add("Accept", "application/json");
  auto sent = send(*connector_, std::move(parsed), std::move(request));
  Result<http::Response> response =
      co_await net::before(timers_->now() + kPatience, *timers_, std::move(sent));
  if (!response) {
    if (response.error().code == ErrorCode::Unavailable) {
      response.error().message = fmt::format("cannot reach {}: {}", url, response.error().message);
    }
    co_return fail(response.error());
  }
  Answer answer;
  answer.status = response->head.status;
  const Result<json::value> body = json::parse(response->body);
  if (body && body->is_object()) answer.body = body->as_object();
  co_return answer;
}

}  // namespace sluice::cli
