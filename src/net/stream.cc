#include "net/stream.h"

namespace sluice::net {

Result<std::size_t> Stream::try_write_both(Bytes first, Bytes second) {
  if (first.empty()) return try_write(second);
  TRY(const std::size_t count, try_write(first));
  if (count < first.size() || second.empty()) return count;
  // The first part is out: an error of the second one shows itself at the next call.
  return count + try_write(second).value_or(0);
}

Task<Result<std::size_t>> Stream::read(MutableBytes into) {
  while (true) {
    CO_TRY(const std::optional<std::size_t> count, try_read(into));
    if (count) co_return *count;
    CO_TRY_VOID(co_await readable());
  }
}

Task<Result<>> Stream::write(Bytes bytes) {
  while (!bytes.empty()) {
    CO_TRY(const std::size_t count, try_write(bytes));
    bytes = bytes.subspan(count);
    if (count == 0) CO_TRY_VOID(co_await writable());
  }
  co_return Result<>{};
}

}  // namespace sluice::net
