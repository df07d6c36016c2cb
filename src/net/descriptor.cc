#include "net/descriptor.h"

#include <fcntl.h>

#include "net/wait.h"

namespace sluice::net {
namespace {

using Wait = boost::asio::posix::descriptor_base::wait_type;

template <typename StreamDescriptor>
Task<Result<>> wait_until(StreamDescriptor& descriptor, Wait what) {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  if (is_cancelled(state)) co_return fail(cancelled());
  const auto [error] = co_await descriptor.async_wait(what, kAwait);
  if (error || is_cancelled(state)) co_return fail(cancelled());
  co_return Result<>{};
}

}  // namespace

Descriptor::Descriptor(Executor executor, UniqueFd fd) : descriptor_(executor) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if ((flags & O_NONBLOCK) == 0) ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK);
  boost::system::error_code error;
  descriptor_.assign(fd.get(), error);
  if (!error) (void)fd.release();
}

Task<Result<>> Descriptor::readable() { return wait_until(descriptor_, Wait::wait_read); }

Task<Result<>> Descriptor::writable() { return wait_until(descriptor_, Wait::wait_write); }

// Asio's "error" comes with EPOLLHUP, EPOLLERR and EPOLLPRI; there is no urgent data here.
Task<Result<>> Descriptor::hung_up() { return wait_until(descriptor_, Wait::wait_error); }

void Descriptor::close() {
  boost::system::error_code error;  // close(2) leaves nothing to do about an error
  descriptor_.close(error);
}

}  // namespace sluice::net
