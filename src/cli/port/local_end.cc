#include "cli/port/local_end.h"

#include <unistd.h>

namespace sluice::cli {
namespace {

constexpr std::size_t kBlockBytes = 64_KiB;

}  // namespace

net::Task<Result<std::vector<std::byte>>> SocketEnd::read() {
  CO_TRY_VOID(co_await stream_->readable());
  std::vector<std::byte> block(kBlockBytes);
  CO_TRY(const std::size_t size, co_await stream_->read(block));
  block.resize(size);
  co_return block;
}

net::Task<Result<>> SocketEnd::write(Bytes bytes) { return stream_->write(bytes); }

net::Task<Result<>> SocketEnd::end_output() {
  stream_->shutdown_write();
  co_return Result<>{};
}

StandardEnd::StandardEnd(net::Executor executor)
    : input_(executor, STDIN_FILENO), output_(executor, STDOUT_FILENO) {}

net::Task<Result<>> StandardEnd::write(Bytes bytes) {
  output_.append(bytes);
  return output_.wait();
}

}  // namespace sluice::cli
