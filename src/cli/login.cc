#include "cli/login.h"

#include <unistd.h>

#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/terminal/console.h"
#include "cli/terminal/exit_code.h"
#include "cli/terminal/input_thread.h"
#include "cli/terminal/terminal.h"
#include "http/status.h"

namespace sluice::cli {
namespace {

std::string absolute(const std::string& file) {
  return file.empty() ? file : std::filesystem::absolute(file).string();
}

/// The settings with the options' word before the configuration's. The login's cluster always has
/// a name: without one, the server's.
Result<Settings> settings_for(const Settings& configured, const LoginOptions& options) {
  Settings settings = configured;
  if (settings.cluster.empty()) settings.cluster = settings.server.host;
  if (!options.issuer.empty()) settings.issuer = options.issuer;
  if (!options.client_id.empty()) settings.client_id = options.client_id;
  // Who is named by --user is no client.
  if (!options.user.empty()) settings.client_secret_file.clear();
  if (!options.client_secret_file.empty()) settings.client_secret_file = options.client_secret_file;
  if (!settings.issuer.empty()) return settings;
  return fail(ErrorCode::InvalidArgument,
              "which issuer? Give --issuer URL: the OpenID Connect issuer that the server trusts");
}

/// The first line of stdin; at a terminal it is asked for, and not shown.
net::Task<Result<std::string>> read_password(Context& context, const std::string& user) {
  std::optional<HeldTerminal> hidden;
  const bool asks = is_terminal(STDIN_FILENO);
  if (asks) {
    hidden.emplace(STDIN_FILENO, HeldTerminal::Mode::Hidden);
    print_error(fmt::format("Password of {}: ", user));
  }
  InputThread input(context.executor, STDIN_FILENO);
  std::string line;
  while (!line.contains('\n')) {
    CO_TRY(const std::vector<std::byte> block, co_await input.read());
    if (block.empty()) break;
    line += as_text(block);
  }
  if (asks) print_error("\n");
  line.resize(std::min(line.size(), line.find('\n')));
  if (line.empty()) co_return fail(ErrorCode::InvalidArgument, "no password was given");
  co_return line;
}

net::Task<Result<Tokens>> by_device(OpenIdProvider& provider, const OAuthClient& client) {
  CO_TRY(const DeviceCode device, co_await provider.begin_device(client));
  note(fmt::format("open {} and confirm the code {}", device.url, device.user_code));
  note(fmt::format("waiting for that; the code is good for {}", format_duration(device.lifetime)));
  co_return co_await provider.by_device(client, device);
}

net::Task<Result<Tokens>> get_tokens(Context& context, const Settings& settings,
                                     const LoginOptions& options) {
  CO_TRY(OAuthClient client, oauth_client(settings, context.environment));
  client.scope = options.scope;
  CO_TRY(OpenIdProvider provider,
         co_await OpenIdProvider::discover(context.connector, context.timers, settings.issuer));
  if (!options.user.empty()) {
    CO_TRY(const std::string password, co_await read_password(context, options.user));
    co_return co_await provider.by_password(client, options.user, password);
  }
  if (!client.secret.empty()) co_return co_await provider.by_client_credentials(client);
  co_return co_await by_device(provider, client);
}

/// Whether the server takes the token is known before anything is kept.
net::Task<Result<>> check(Context& context, const Tokens& tokens) {
  context.credentials.use(tokens.access);
  CO_TRY(const http::Response response, co_await context.api.get("/status"));
  if (response.head.status != http::status::kUnauthorized) co_return Result<>{};
  co_return fail(
      ErrorCode::PermissionDenied,
      "the issuer gave a token, and the server refuses it: " + error_of(response).message);
}

Result<> save(const Settings& settings) {
  TRY(Config config, read_config(settings.config_file));
  ClusterEntry& entry = config.clusters[settings.cluster];
  entry.server = http::to_string(settings.server);
  entry.project = settings.project;
  entry.ca_file = absolute(settings.ca_file);
  entry.insecure = settings.insecure;
  entry.token_file.clear();  // it would count before the login
  entry.issuer = settings.issuer;
  entry.client_id = settings.client_id;
  entry.client_secret_file = absolute(settings.client_secret_file);
  if (config.current.empty()) config.current = settings.cluster;
  return write_config(config, settings.config_file);
}

void say_what_came(const Settings& settings, const Tokens& tokens, WallTime now) {
  std::string text = fmt::format("logged in to {}", settings.cluster);
  const bool renews = !tokens.refresh.empty() || !settings.client_secret_file.empty();
  if (tokens.expires_at) {
    const auto left = std::chrono::round<seconds>(*tokens.expires_at - now);
    text += fmt::format("; the token is good for {}{}", format_duration(left),
                        renews ? ", and renewed" : "");
  }
  note(text);
  if (!settings.token.empty()) note("SLUICE_TOKEN is set, and counts before the login");
}

net::Task<Result<>> revoke(Context& context, const std::string& refresh_token) {
  CO_TRY(const OAuthClient client, oauth_client(context.settings, context.environment));
  CO_TRY(OpenIdProvider provider, co_await OpenIdProvider::discover(
                                      context.connector, context.timers, context.settings.issuer));
  if (!provider.can_revoke()) co_return Result<>{};
  co_return co_await provider.revoke(client, refresh_token);
}

}  // namespace

net::Task<Result<int>> run_login(Context& context, LoginOptions options) {
  CO_TRY(const Settings settings, settings_for(context.settings, options));
  CO_TRY(const Tokens tokens, co_await get_tokens(context, settings, options));
  CO_TRY_VOID(co_await check(context, tokens));
  CO_TRY_VOID(save(settings));
  const TokenStore store(settings.config_file, settings.cluster);
  CO_TRY_VOID(store.write(tokens));
  say_what_came(settings, tokens, context.timers.wall_now());
  co_return kSuccess;
}

net::Task<Result<int>> run_logout(Context& context) {
  const TokenStore store(context.settings.config_file, context.settings.cluster);
  const Result<std::optional<Tokens>> tokens = store.read();
  if (tokens && *tokens && !(*tokens)->refresh.empty()) {
    const Result<> revoked = co_await revoke(context, (*tokens)->refresh);
    if (!revoked && revoked.error().code == ErrorCode::Cancelled) co_return fail(revoked.error());
    if (!revoked) note("the tokens were not given back: " + revoked.error().message);
  }
  CO_TRY(const bool removed, store.remove());
  note(removed ? fmt::format("logged out of {}", context.settings.cluster)
               : std::string("nobody was logged in"));
  co_return kSuccess;
}

}  // namespace sluice::cli
