#include "cli/credentials.h"

#include "base/bytes.h"
#include "base/file.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kMaxTokenBytes = 64_KiB;

}  // namespace

Credentials::Credentials(const Settings& settings)
    : token_(settings.token), token_file_(settings.token_file) {}

net::Task<Result<std::string>> Credentials::token() {
  if (!token_.empty()) co_return token_;
  if (token_file_.empty()) {
    co_return fail(ErrorCode::Unauthenticated,
                   "no token: set SLUICE_TOKEN, or name a file that has one with --token-file");
  }
  Result<std::string> text = read_file(token_file_, kMaxTokenBytes);
  if (!text) {
    co_return fail(ErrorCode::Unauthenticated,
                   token_file_ + ": no token there: " + text.error().message);
  }
  while (!text->empty() && (text->back() == '\n' || text->back() == ' ')) text->pop_back();
  co_return text;
}

}  // namespace sluice::cli
