#include "backend/kubernetes/access/token_file.h"

#include "base/bytes.h"
#include "base/file.h"
#include "observe/log.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr std::size_t kMaxTokenBytes = 64_KiB;

Result<std::string> read_token(const std::string& path) {
  TRY(std::string text, read_file(path, kMaxTokenBytes));
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return fail(ErrorCode::Unavailable, "the file is empty");
  text.resize(end + 1);
  text.erase(0, text.find_first_not_of(" \t\r\n"));
  return text;
}

}  // namespace

Result<std::string> TokenFile::read() {
  const std::lock_guard lock(mutex_);
  if (clock_.now() < due_) return token_;
  due_ = clock_.now() + kMaxAge;
  Result<std::string> fresh = read_token(path_);
  if (fresh) {
    token_ = *std::move(fresh);
    return token_;
  }
  log(LogLevel::Error, "token file not read", fresh.error(), {{"file", path_}});
  due_ = {};
  if (!token_.empty()) return token_;
  Error error{ErrorCode::Unavailable, "the gateway could not get credentials for the cluster"};
  error.cause = path_ + ": " + fresh.error().message;
  return fail(std::move(error));
}

void TokenFile::forget() {
  const std::lock_guard lock(mutex_);
  due_ = {};
}

}  // namespace sluice::backend::kubernetes
