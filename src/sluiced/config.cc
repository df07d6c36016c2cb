#include "sluiced/config.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::sluiced {
namespace {

using net::ListenAddress;
using yaml::Mapping;
using yaml::Value;

constexpr auto kMostConnections = std::int64_t{10'000'000};

Result<ListenAddress> read_address(const Value& value) {
  TRY(const std::string text, value.as_string());
  const Result<ListenAddress> address = net::parse_listen_address(text);
  if (!address) return fail(value.error(address.error().message));
  return *address;
}

Result<std::vector<ListenAddress>> read_listen(const Value& value) {
  TRY(const std::vector<Value> items, value.as_items());
  std::vector<ListenAddress> addresses;
  for (const Value& item : items) {
    TRY(ListenAddress address, read_address(item));
    addresses.push_back(std::move(address));
  }
  if (addresses.empty()) {
    return fail(value.key_error("the list is empty; give at least one host:port"));
  }
  return addresses;
}

Result<TlsFiles> read_tls(const Value& section, Config& config) {
  TRY(Mapping map, section.as_mapping());
  TRY(const Value certificate, map.require("certificate"));
  TRY(const Value key, map.require("key"));
  TRY_VOID(map.finish());
  TlsFiles files;
  TRY(files.certificate, read_named_file(certificate, config));
  TRY(files.key, read_named_file(key, config));
  return files;
}

Result<std::string> read_base_path(const Value& value) {
  TRY(std::string path, value.as_string());
  if (path == "/") return std::string();
  const bool plain = path.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789-._~/") == std::string::npos;
  const bool whole = path.starts_with('/') && !path.ends_with('/') &&
                     path.find("//") == std::string::npos && path.find("/.") == std::string::npos;
  if (plain && whole) return path;
  return fail(
      value.error(fmt::format("expected a path such as /cluster-api, with a slash at the beginning "
                              "and none at the end, got "
                              "\"{}\"",
                              path)));
}

Result<std::optional<ListenAddress>> read_admin(const Value& section) {
  TRY(Mapping map, section.as_mapping());
  TRY(const Value listen, map.require("listen"));
  TRY_VOID(map.finish());
  return read_address(listen);
}

Result<> take_count(Mapping& map, std::string_view key, auto& out) {
  return take_number(map, key, 1, kMostConnections, out);
}

/// A rate that is given without a burst has one of twice as many.
Result<> take_rate(Mapping& map, std::string_view key, RateLimit& out) {
  const std::size_t by_default = out.per_second;
  TRY_VOID(take_count(map, key, out.per_second));
  if (out.per_second != by_default) out.burst = 2 * out.per_second;
  return {};
}

Result<> read_sessions(const Value& section, gateway::Settings& settings) {
  TRY(Mapping map, section.as_mapping());
  TRY_VOID(take_duration(map, "pingInterval", milliseconds(1), settings.ping_interval));
  TRY_VOID(take_duration(map, "idleTimeout", milliseconds(1), settings.idle_timeout));
  TRY_VOID(take_duration(map, "shutdownGrace", nanoseconds(0), settings.shutdown_grace));
  TRY_VOID(take_duration(map, "upgradeGrace", nanoseconds(0), settings.upgrade_grace));
  TRY_VOID(take_count(map, "max", settings.max_sessions));
  TRY_VOID(take_count(map, "maxPerUser", settings.max_sessions_per_user));
  constexpr std::int64_t kMostBufferedBytes = std::int64_t{1} << 50;
  TRY_VOID(
      take_number(map, "maxBuffered", 1 << 20, kMostBufferedBytes, settings.max_buffered_bytes));
  TRY_VOID(take_rate(map, "upgradeRate", settings.upgrade_rate));
  TRY_VOID(take_count(map, "upgradeBurst", settings.upgrade_rate.burst));
  TRY_VOID(take_rate(map, "upgradeRatePerUser", settings.upgrade_rate_per_user));
  TRY_VOID(take_count(map, "upgradeBurstPerUser", settings.upgrade_rate_per_user.burst));
  return map.finish();
}

Result<> read_http(const Value& section, Config& config) {
  // A bearer token alone may have 16 KiB; Beast's parser counts in 32 bits.
  constexpr std::int64_t kLeastHeaderBytes = 1024;
  constexpr std::int64_t kMostBytes = 64 << 20;
  http::ServerLimits& limits = config.gateway.http;
  TRY(Mapping map, section.as_mapping());
  TRY_VOID(take_number(map, "maxHeaderSize", kLeastHeaderBytes, kMostBytes, limits.head_bytes));
  TRY_VOID(take_number(map, "maxBodySize", 0, kMostBytes, limits.body_bytes));
  TRY_VOID(take_count(map, "maxConnections", config.max_connections));
  return map.finish();
}

Result<> read_compat(const Value& section, gateway::Settings& settings) {
  constexpr std::string_view kCodes[] = {"500", "404"};
  TRY(Mapping map, section.as_mapping());
  if (const auto value = map.take("missingWorkload")) {
    TRY(const std::size_t choice, read_choice(*value, kCodes));
    settings.missing_workload =
        choice == 0 ? gateway::MissingWorkload::PlainText500 : gateway::MissingWorkload::Json404;
  }
  return map.finish();
}

Result<> read_websocket(const Value& section, gateway::Settings& settings) {
  TRY(Mapping map, section.as_mapping());
  if (const auto value = map.take("compression")) {
    TRY(settings.compression, value->as_bool());
  }
  constexpr std::int64_t kMostBytes = std::numeric_limits<std::int64_t>::max();
  TRY_VOID(take_number(map, "maxMessageSize", 1, kMostBytes, settings.max_message_bytes));
  return map.finish();
}

Result<> read_log(const Value& section, Config& config) {
  constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error"};
  constexpr std::string_view kFormats[] = {"json", "text"};
  TRY(Mapping map, section.as_mapping());
  if (const auto value = map.take("level")) {
    TRY(const std::size_t choice, read_choice(*value, kLevels));
    config.log_level = static_cast<LogLevel>(choice);
  }
  if (const auto value = map.take("format")) {
    TRY(const std::size_t choice, read_choice(*value, kFormats));
    config.log_format = static_cast<LogFormat>(choice);
  }
  return map.finish();
}

/// The development issuer is for this machine only, and keeps its key somewhere.
Result<> check_development(const Config& config, const Value& auth) {
  if (!config.auth.development.enabled) return {};
  TRY(Mapping map, auth.as_mapping());
  TRY(const Value development, map.require("development"));
  if (config.auth.development.state_dir.empty()) {
    return fail(development.key_error("needs backend.kubernetes.stateDir, where its key is kept"));
  }
  for (const ListenAddress& address : config.listen) {
    if (address.is_loopback()) continue;
    return fail(development.key_error(
        fmt::format("refused unless every listener is on loopback, and {} is not; use a real "
                    "issuer",
                    address.to_string())));
  }
  return {};
}

/// Tokens don't leave this machine in plaintext, unless that is meant.
Result<> check_plaintext(const Config& config, bool allow_plaintext, const Value& listen) {
  if (config.tls || allow_plaintext) return {};
  for (const ListenAddress& address : config.listen) {
    if (address.is_loopback()) continue;
    return fail(listen.key_error(
        fmt::format("{} can be reached from other machines, and without tls the tokens would be "
                    "readable on the "
                    "way; give tls, or say allowPlaintext: true when something in front does it",
                    address.to_string())));
  }
  return {};
}

Result<> read_optional_sections(Mapping& root, Config& config) {
  if (const auto section = root.take("tls")) {
    TRY(config.tls, read_tls(*section, config));
  }
  if (const auto value = root.take("basePath")) {
    TRY(config.gateway.base_path, read_base_path(*value));
  }
  if (const auto section = root.take("admin")) {
    TRY(config.admin, read_admin(*section));
  }
  if (const auto section = root.take("sessions")) TRY_VOID(read_sessions(*section, config.gateway));
  if (const auto section = root.take("http")) TRY_VOID(read_http(*section, config));
  if (const auto section = root.take("compat")) TRY_VOID(read_compat(*section, config.gateway));
  if (const auto section = root.take("websocket"))
    TRY_VOID(read_websocket(*section, config.gateway));
  if (const auto section = root.take("log")) TRY_VOID(read_log(*section, config));
  if (const auto section = root.take("audit")) TRY_VOID(read_audit(*section, config));
  if (const auto section = root.take("recording")) TRY_VOID(read_recording(*section, config));
  return take_number(root, "threads", 1, 256, config.threads);
}

Result<Config> read_document(const Value& document, const std::string& file) {
  Config config;
  config.file = file;
  TRY(Mapping root, document.as_mapping());
  // All keys are asked for before any is missed, so that a misspelt one is called that, not
  // missing.
  TRY_VOID(read_optional_sections(root, config));
  bool allow_plaintext = false;
  if (const auto value = root.take("allowPlaintext")) {
    TRY(allow_plaintext, value->as_bool());
  }
  for (const std::string_view key : {"listen", "auth", "authorization", "backend"}) root.take(key);
  TRY_VOID(root.finish());
  TRY(const Value listen, root.require("listen"));
  TRY(const Value auth_section, root.require("auth"));
  TRY(const Value authorization, root.require("authorization"));
  TRY(const Value backend, root.require("backend"));
  TRY(config.listen, read_listen(listen));
  TRY_VOID(read_backend(backend, config));
  TRY_VOID(read_auth(auth_section, config));
  TRY_VOID(read_authorization(authorization, config));
  TRY_VOID(check_development(config, auth_section));
  TRY_VOID(check_plaintext(config, allow_plaintext, listen));
  return config;
}

}  // namespace

Result<> take_duration(Mapping& map, std::string_view key, nanoseconds least, nanoseconds& out) {
  const std::optional<Value> value = map.take(key);
  if (!value) return {};
  TRY(out, value->as_duration());
  if (out >= least) return {};
  return fail(value->error(fmt::format("expected at least {}", format_duration(least))));
}

Result<std::size_t> read_choice(const Value& value, std::span<const std::string_view> names) {
  TRY(const std::string text, value.as_string());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) return i;
  }
  return fail(
      value.error(fmt::format("expected one of {}; got \"{}\"", fmt::join(names, ", "), text)));
}

Result<std::string> read_path(const Value& value, const Config& config) {
  TRY(std::string path, value.as_string());
  if (path.starts_with("~/")) {
    const char* home = std::getenv("HOME");
    if (home == nullptr) return fail(value.error("~ stands for $HOME, which is not set"));
    path.replace(0, 1, home);
  }
  const std::filesystem::path folder = std::filesystem::path(config.file).parent_path();
  return (folder / path).lexically_normal().string();
}

Result<std::string> read_named_file(const Value& value, Config& config) {
  TRY(std::string path, read_path(value, config));
  config.named_files.push_back({value, path});
  return path;
}

Result<> check_named_files(const Config& config) {
  for (const NamedFile& file : config.named_files) {
    if (::access(file.path.c_str(), R_OK) == 0) continue;
    const Error reason = system_error(ErrorCode::InvalidArgument, {}, file.path, errno);
    return fail(file.key.error(fmt::format("cannot be read: {}", reason.cause)));
  }
  return {};
}

Error at_key(std::span<const NamedFile> files, Error error) {
  for (const NamedFile& file : files) {
    if (!error.message.starts_with(file.path + ": ")) continue;
    error.message = file.key.error(error.message).message;
    break;
  }
  return error;
}

Result<Config> read_config(const std::string& path) {
  TRY(const Value document, yaml::parse_file(path));
  return read_document(document, path);
}

Result<Config> parse_config(std::string_view text, const std::string& path) {
  TRY(const Value document, yaml::parse(text, path));
  return read_document(document, path);
}

}  // namespace sluice::sluiced
