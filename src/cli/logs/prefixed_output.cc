#include "cli/logs/prefixed_output.h"

namespace sluice::cli {

void PrefixedOutput::append(Bytes bytes) {
  std::string_view text = as_text(bytes);
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const bool is_whole = newline != std::string_view::npos;
    begun_ += text.substr(0, newline);
    text.remove_prefix(is_whole ? newline + 1 : text.size());
    if (!is_whole && begun_.size() < kMaxLineBytes) return;
    lines_ += prefix_;
    lines_ += begun_;
    lines_ += '\n';
    begun_.clear();
  }
}

net::Task<Result<>> PrefixedOutput::wait() {
  if (lines_.empty()) co_return Result<>{};
  CO_TRY_VOID(co_await shared_.turns.take());
  shared_.output.append(as_bytes(lines_));
  lines_.clear();
  Result<> written = co_await shared_.output.wait();
  shared_.turns.pass();
  if (!written && written.error().code != ErrorCode::Cancelled) shared_.state = written;
  co_return written;
}

net::Task<Result<>> PrefixedOutput::finish() {
  if (!begun_.empty()) append(as_bytes("\n"));
  return wait();
}

}  // namespace sluice::cli
