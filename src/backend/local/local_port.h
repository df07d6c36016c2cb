// LocalPort: one TCP connection to 127.0.0.1 on behalf of a pod, which ends with it.
#pragma once

#include "backend/local/local_process.h"
#include "backend/local/supervisor.h"
#include "backend/streams.h"
#include "net/tcp_stream.h"

namespace sluice::backend::local {

class LocalPort final : public PortStream {
 public:
  LocalPort(std::unique_ptr<net::TcpStream> stream, std::shared_ptr<PortLink> link,
            DeletedFlag deleted)
      : stream_(std::move(stream)), link_(std::move(link)), deleted_(std::move(deleted)) {}

  net::Task<Result<std::size_t>> read(MutableBytes into) override;
  net::Task<Result<>> write(Bytes bytes) override;
  net::Task<Result<>> half_close() override;
  std::optional<StreamEnd> end() const override { return end_; }

 private:
  /// The pod sends no more: when does it take no more, either?
  net::Task<Result<std::size_t>> wait_hung_up();

  std::unique_ptr<net::TcpStream> stream_;
  std::shared_ptr<PortLink> link_;  // the pod holds it weakly
  DeletedFlag deleted_;
  std::optional<StreamEnd> end_;
  bool half_closed_ = false;
};

/// Errors: as Backend::forward_port().
net::Task<Result<std::unique_ptr<PortStream>>> connect_port(Supervisor& supervisor,
                                                            workload::ContainerRef ref,
                                                            std::uint16_t port);

}  // namespace sluice::backend::local
