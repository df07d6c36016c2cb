#include "cli/terminal/blocking_io.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/file.h"

namespace sluice::cli {

Result<std::size_t> read_some(int descriptor, MutableBytes into) {
  while (true) {
    const ssize_t count = ::read(descriptor, into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) {
      return fail(ErrorCode::Internal, fmt::format("cannot read: {}", std::strerror(errno)));
    }
  }
}

Result<> write_all(int descriptor, Bytes bytes) {
  const int problem = sluice::write_all(descriptor, as_text(bytes));
  if (problem == 0) return {};
  return fail(problem == EPIPE ? ErrorCode::Unavailable : ErrorCode::Internal,
              fmt::format("cannot write: {}", std::strerror(problem)));
}

Result<std::string> read_line(int descriptor, std::size_t limit_bytes) {
  std::string line;
  std::byte next{};
  while (line.size() < limit_bytes) {
    TRY(const std::size_t count, read_some(descriptor, {&next, 1}));
    if (count == 0) break;
    if (static_cast<char>(next) == '\n') return line;
    line += static_cast<char>(next);
  }
  return fail(ErrorCode::Unavailable, "the copy ended early");
}

}  // namespace sluice::cli
