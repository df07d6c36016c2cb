#include "backend/local/local_port.h"

#include <algorithm>

#include <fmt/format.h>

#include "backend/local/terminal.h"

namespace sluice::backend::local {

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

net::Task<Result<>> LocalPort::write(Bytes bytes) { co_return co_await stream_->write(bytes); }

net::Task<Result<>> LocalPort::half_close() {
  half_closed_ = true;
  stream_->shutdown_write();
  co_return Result<>{};
}

net::Task<Result<std::unique_ptr<PortStream>>> connect_port(Supervisor& supervisor,
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
  co_return std::make_unique<LocalPort>(std::move(stream), std::move(link), pod->deleted);
}

}  // namespace sluice::backend::local
