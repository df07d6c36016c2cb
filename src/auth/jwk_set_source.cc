#include "auth/jwk_set_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "auth/key_url.h"
#include "base/file.h"
#include "observe/log.h"

namespace sluice::auth {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr nanoseconds kFileWatchInterval = seconds(1);
constexpr nanoseconds kFirstBackoff = seconds(1);
constexpr nanoseconds kLastBackoff = seconds(30);
constexpr nanoseconds kKeyIdInterval = seconds(60);

/// Changes whenever the file does, be it rewritten or replaced; empty when there is none.
std::string identity_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {};
  return fmt::format("{}:{}:{}:{}.{:09}:{}.{:09}", status.st_dev, status.st_ino, status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                     status.st_ctim.tv_nsec);
}

Error naming_file(const std::string& path, Error error) {
  error.message = fmt::format("{}: {}", path, error.message);
  return error;
}

/// The `jwks_uri` of a discovery document (OpenID Connect Discovery 1.0, 4.2 and 4.3).
Result<std::string> jwks_uri_of(std::string_view document, const std::string& issuer) {
  TRY(const json::value value, json::parse(document));
  if (!value.is_object()) return fail(ErrorCode::InvalidArgument, "not an object");
  if (json::find_string(value.get_object(), "issuer") != issuer) {
    return fail(ErrorCode::InvalidArgument, "its \"issuer\" is not the configured one");
  }
  const auto uri = json::find_string(value.get_object(), "jwks_uri");
  if (!uri) return fail(ErrorCode::InvalidArgument, "it has no \"jwks_uri\"");
  TRY_VOID(check_key_url(*uri));
  return std::string(*uri);
}

}  // namespace

Result<JwkSet> read_jwk_set_file(const std::string& path) {
  auto text = read_file(path, kMaxFileBytes);
  if (!text) return fail(naming_file(path, std::move(text).error()));
  auto keys = JwkSet::parse(*text);
  if (!keys) return fail(naming_file(path, std::move(keys).error()));
  return keys;
}

JwkSetSource::JwkSetSource(const IssuerConfig& issuer, nanoseconds refresh, net::Executor home,
                           net::Timers& timers, Fetch fetch, Publish publish)
    : issuer_(issuer),
      refresh_(refresh),
      timers_(timers),
      fetch_(std::move(fetch)),
      publish_(std::move(publish)),
      tasks_(home),
      alarms_(home),
      due_(home) {}

void JwkSetSource::start() {
  running_ = true;
  loading_ = true;
  tasks_.spawn("keep signing keys fresh", keep_fresh());
}

net::Task<> JwkSetSource::stop() {
  running_ = false;
  tasks_.cancel();
  co_await tasks_.join();
  alarms_.cancel();
  co_await alarms_.join();
  answer_all();
}

void JwkSetSource::ask(Need need, std::move_only_function<void()> answered) {
  const MonotonicTime now = timers_.now();
  const bool is_file = !issuer_.jwks_file.empty();
  const bool allowed =
      is_file || (need == Need::UnknownKeyId &&
                  (!asked_for_key_id_at_ || now - *asked_for_key_id_at_ >= kKeyIdInterval));
  if (!running_ || (!loading_ && !allowed)) return answered();
  waiting_.push_back(std::move(answered));
  if (loading_) return;
  if (need == Need::UnknownKeyId) asked_for_key_id_at_ = now;
  loading_ = true;
  due_.notify();
}

net::Task<> JwkSetSource::keep_fresh() {
  while (running_) {
    const Result<> loaded = co_await load();
    if (!running_) break;
    if (!loaded) {
      log(LogLevel::Warning,
          has_keys_ ? "signing keys not refreshed; the old ones stay in force" : "no signing keys",
          loaded.error(), {{"issuer", issuer_.issuer}});
    }
    loading_ = false;
    answer_all();
    alarms_.spawn("signing keys are due", ring_in(delay_after(loaded)));
    const Result<> due = co_await due_.wait();
    if (!due) break;
    alarms_.cancel();
    loading_ = true;
  }
}

net::Task<Result<>> JwkSetSource::load() {
  if (!issuer_.jwks_file.empty()) co_return load_file();
  CO_TRY(std::string text, co_await fetch_jwk_set());
  co_return adopt(std::move(text));
}

net::Task<Result<std::string>> JwkSetSource::fetch_jwk_set() {
  std::string uri = issuer_.jwks_uri;
  if (uri.empty()) {
    std::string discovery = issuer_.issuer;
    if (discovery.ends_with('/')) discovery.pop_back();
    discovery += "/.well-known/openid-configuration";
    CO_TRY(const std::string document, co_await fetch_(std::move(discovery)));
    auto found = jwks_uri_of(document, issuer_.issuer);
    if (!found) {
      std::string problem = "the discovery document can't be used: " + found.error().message;
      co_return fail(ErrorCode::InvalidArgument, std::move(problem));
    }
    uri = *std::move(found);
  }
  co_return co_await fetch_(std::move(uri));
}

Result<> JwkSetSource::load_file() {
  std::string identity = identity_of(issuer_.jwks_file);
  // Before the first look the identity is empty, too, and there are no keys: an absent file is
  // reported.
  if (identity == file_identity_ && (has_keys_ || !identity.empty())) return {};
  file_identity_ = std::move(identity);
  auto text = read_file(issuer_.jwks_file, kMaxFileBytes);
  if (!text) return fail(naming_file(issuer_.jwks_file, std::move(text).error()));
  auto adopted = adopt(*std::move(text));
  if (!adopted) return fail(naming_file(issuer_.jwks_file, std::move(adopted).error()));
  return {};
}

Result<> JwkSetSource::adopt(std::string text) {
  if (has_keys_ && text == text_) return {};
  TRY(JwkSet keys, JwkSet::parse(text));
  log(LogLevel::Info, "signing keys loaded",
      {{"issuer", issuer_.issuer}, {"keys", static_cast<std::int64_t>(keys.size())}});
  text_ = std::move(text);
  has_keys_ = true;
  publish_(std::make_shared<const JwkSet>(std::move(keys)));
  return {};
}

nanoseconds JwkSetSource::delay_after(const Result<>& loaded) {
  if (!issuer_.jwks_file.empty()) return kFileWatchInterval;
  if (loaded) {
    backoff_ = {};
    return refresh_;
  }
  backoff_ = std::clamp(2 * backoff_, kFirstBackoff, kLastBackoff);
  return backoff_;
}

net::Task<> JwkSetSource::ring_in(nanoseconds delay) {
  const Result<> passed = co_await timers_.sleep_for(delay);  // in the if, GCC 12 destroys it twice
  if (passed) due_.notify();
}

void JwkSetSource::answer_all() {
  for (auto& answered : std::exchange(waiting_, {})) answered();
}

}  // namespace sluice::auth
