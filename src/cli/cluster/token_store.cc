#include "cli/cluster/token_store.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

namespace sluice::cli {
namespace {

constexpr unsigned kOwnerOnly = 0600;
constexpr std::size_t kMaxBytes = 256_KiB;
/// Longer than a renewal takes.
constexpr nanoseconds kLockPatience = seconds(30);
constexpr nanoseconds kLockInterval = milliseconds(50);

std::unexpected<Error> local_failure(const std::string& file, const std::string& problem) {
  return fail(ErrorCode::Internal, fmt::format("{}: {}", file, problem));
}

Result<> make_folder(const std::string& path) {
  Result<> made = make_private_folder(path);
  if (made) return made;
  return fail(ErrorCode::Internal, made.error().message);
}

}  // namespace

TokenStore::TokenStore(const std::string& config_file, const std::string& cluster) {
  if (cluster.empty()) return;
  folder_ = std::filesystem::path(config_file).parent_path() / "tokens";
  file_ = fmt::format("{}/{}.json", folder_, percent_encode(cluster));
}

Result<std::optional<Tokens>> TokenStore::read() const {
  if (file_.empty()) return std::nullopt;
  const Result<std::string> text = read_file(file_, kMaxBytes);
  if (!text && text.error().code == ErrorCode::NotFound) return std::nullopt;
  if (!text) return local_failure(file_, text.error().message);
  const Result<json::value> document = json::parse(*text);
  const json::object* object = document ? document->if_object() : nullptr;
  Tokens tokens;
  if (object != nullptr) tokens.access = json::text_of(*object, "accessToken");
  if (tokens.access.empty()) {
    return fail(ErrorCode::InvalidArgument,
                file_ + " is no token file: `sluice login` makes it anew");
  }
  tokens.refresh = json::text_of(*object, "refreshToken");
  tokens.expires_at = parse_rfc3339(json::text_of(*object, "expiresAt"));
  return tokens;
}

Result<> TokenStore::write(const Tokens& tokens) const {
  json::object object{{"accessToken", tokens.access}};
  if (!tokens.refresh.empty()) object["refreshToken"] = tokens.refresh;
  if (tokens.expires_at) object["expiresAt"] = format_rfc3339(*tokens.expires_at);
  TRY_VOID(make_folder(folder_));
  const std::string text = json::serialize(object) + "\n";
  const Result<> written = write_file_atomically(file_, text, kOwnerOnly);
  if (!written) return local_failure(file_, written.error().message);
  return {};
}

Result<bool> TokenStore::remove() const {
  if (file_.empty()) return false;
  std::error_code problem;
  const bool removed = std::filesystem::remove(file_, problem);
  if (problem) return local_failure(file_, problem.message());
  return removed;
}

net::Task<Result<UniqueFd>> TokenStore::lock(net::Timers& timers) const {
  CO_TRY_VOID(make_folder(folder_));
  const std::string name = file_ + ".lock";
  UniqueFd lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnly));
  if (!lock) co_return local_failure(name, std::generic_category().message(errno));
  const MonotonicTime deadline = timers.now() + kLockPatience;
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (timers.now() >= deadline) co_return local_failure(name, "another program holds it");
    CO_TRY_VOID(co_await timers.sleep_for(kLockInterval));
  }
  co_return lock;
}

}  // namespace sluice::cli
