#include "backend/local/local_port.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "backend/local/terminal.h"
#include "net/current_executor.h"
#include "net/deadline.h"
#include "net/yield.h"

namespace sluice::backend::local {
namespace {

constexpr std::size_t kSkipBytes = 64_KiB;

/// False: nothing comes any more.
bool skip_some(net::TcpStream& stream) {
  std::array<std::byte, kSkipBytes> skipped;
  const Result<std::optional<std::size_t>> count = stream.try_read(skipped);
  return count && *count != std::size_t{0};
}

/// Whether the peer has acknowledged all that was sent (tcp(7)), and the end of it.
bool is_all_taken(net::TcpStream& stream) {
  int unacknowledged = 0;
  return ::ioctl(stream.fd(), SIOCOUTQ, &unacknowledged) != 0 || unacknowledged == 0;
}

}  // namespace

/// A close with anything unread, or that anything follows, resets the connection, which takes what
/// the pod has not received yet (RFC 9293 3.10.7.4). After the pod's own end nothing follows.
LocalPort::~LocalPort() {
  if (end_ || !has_written_) return;
  stream_->shutdown_write();
  tasks_.spawn(executor_, "end of a local port",
               finish(std::move(stream_), std::move(link_), timers_));
}

/// `link` is held meanwhile: by it, the pod's deletion ends the wait.
net::Task<> LocalPort::finish(std::unique_ptr<net::TcpStream> stream,
                              [[maybe_unused]] std::shared_ptr<PortLink> link,
                              net::Timers& timers) {
  const MonotonicTime until = timers.now() + kFarewellPatience;
  const Result<> ended = co_await net::before(until, timers, skip_to_end(*stream, timers));
  (void)ended;  // any end is one
}

net::Task<Result<>> LocalPort::skip_to_end(net::TcpStream& stream, net::Timers& timers) {
  MonotonicTime until = MonotonicTime::max();
  while (timers.now() < until) {
    CO_TRY_VOID(co_await stream.readable());
    if (!skip_some(stream)) break;
    if (is_all_taken(stream)) until = std::min(until, timers.now() + kEndPatience);
    CO_TRY_VOID(co_await net::yield());
  }
  co_return Result<>{};
}

net::Task<Result<std::size_t>> LocalPort::read(MutableBytes into) {
  if (end_) co_return co_await wait_hung_up();
  Result<std::size_t> count = co_await stream_->read(into);
  if (count && *count > 0) co_return count;
  if (!count && (count.error().code == ErrorCode::Cancelled || !deleted_->load())) co_return count;
  end_ = deleted_->load() ? StreamEnd::TargetDeleted : StreamEnd::Completed;
  co_return std::size_t{0};
}

net::Task<Result<std::size_t>> LocalPort::wait_hung_up() {
  CO_TRY_VOID(co_await stream_->hung_up());
  if (deleted_->load()) {
    end_ = StreamEnd::TargetDeleted;
  } else if (!half_closed_) {
    co_return fail(ErrorCode::Unavailable, "connection reset");
  }
  co_return std::size_t{0};
}

net::Task<Result<>> LocalPort::write(Bytes bytes) {
  has_written_ = true;
  co_return co_await stream_->write(bytes);
}

net::Task<Result<>> LocalPort::half_close() {
  half_closed_ = true;
  stream_->shutdown_write();
  co_return Result<>{};
}

net::Task<Result<std::unique_ptr<PortStream>>> connect_port(Supervisor& supervisor,
                                                            LoopTasks& tasks,
                                                            workload::ContainerRef ref,
                                                            std::uint16_t port) {
  const std::shared_ptr<const ClusterView> view = supervisor.view();
  CO_TRY(const WorkloadView* const workload, view->find(ref.workload));
  CO_TRY(const PodView* const pod, find_pod(*workload, ref.pod.name));
  if (pod->phase == PodPhase::Terminating || pod->ref.uid != ref.pod.uid) {
    co_return fail(ErrorCode::Conflict, fmt::format("pod \"{}\" is terminating", ref.pod.name));
  }
  // The port is this machine's: that of a pod that has finished may be another's by now.
  if (std::ranges::find(pod->containers, ContainerState::Running, &ContainerView::state) ==
      pod->containers.end()) {
    co_return fail(ErrorCode::Unavailable, "connection refused");
  }
  CO_TRY(std::unique_ptr<net::TcpStream> stream, co_await net::connect_tcp("127.0.0.1", port));
  CO_TRY(UniqueFd socket, duplicate(stream->fd()));
  auto link = std::make_shared<PortLink>(PortLink{std::move(socket)});
  supervisor.watch_port(ref.pod, link);
  const net::Executor executor = co_await net::current_executor();
  co_return std::make_unique<LocalPort>(executor, tasks, supervisor.timers(), std::move(stream),
                                        std::move(link), pod->deleted);
}

}  // namespace sluice::backend::local
