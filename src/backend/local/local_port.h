// LocalPort: one TCP connection to 127.0.0.1 on behalf of a pod, which ends with it. When the
// session lets go of it, the pod still gets all that the client had sent.
#pragma once

#include "backend/local/local_process.h"
#include "backend/local/supervisor.h"
#include "backend/loop_tasks.h"
#include "backend/streams.h"
#include "net/tcp_stream.h"
#include "net/timers.h"

namespace sluice::backend::local {

class LocalPort final : public PortStream {
 public:
  /// The pod has so long to take what was written before the port was let go of ...
  static constexpr nanoseconds kFarewellPatience = seconds(30);
  /// ... and, once its machine has it all, so long to end the connection, if it goes on sending.
  static constexpr nanoseconds kEndPatience = seconds(2);

  /// On the loop of `executor`. `tasks` and `timers` outlive it.
  LocalPort(net::Executor executor, LoopTasks& tasks, net::Timers& timers,
            std::unique_ptr<net::TcpStream> stream, std::shared_ptr<PortLink> link,
            DeletedFlag deleted)
      : executor_(executor),
        tasks_(tasks),
        timers_(timers),
        stream_(std::move(stream)),
        link_(std::move(link)),
        deleted_(std::move(deleted)) {}
  ~LocalPort() override;

  net::Task<Result<std::size_t>> read(MutableBytes into) override;
  net::Task<Result<>> write(Bytes bytes) override;
  net::Task<Result<>> half_close() override;
  std::optional<StreamEnd> end() const override { return end_; }

 private:
  /// The pod sends no more: when does it take no more, either?
  net::Task<Result<std::size_t>> wait_hung_up();
  static net::Task<> finish(std::unique_ptr<net::TcpStream> stream, std::shared_ptr<PortLink> link,
                            net::Timers& timers);
  static net::Task<Result<>> skip_to_end(net::TcpStream& stream, net::Timers& timers);

  net::Executor executor_;
  LoopTasks& tasks_;
  net::Timers& timers_;
  std::unique_ptr<net::TcpStream> stream_;
  std::shared_ptr<PortLink> link_;  // the pod holds it weakly
  DeletedFlag deleted_;
  std::optional<StreamEnd> end_;
  bool has_written_ = false;
  bool half_closed_ = false;
};

/// Errors: as Backend::forward_port().
net::Task<Result<std::unique_ptr<PortStream>>> connect_port(Supervisor& supervisor,
                                                            LoopTasks& tasks,
                                                            workload::ContainerRef ref,
                                                            std::uint16_t port);

}  // namespace sluice::backend::local
