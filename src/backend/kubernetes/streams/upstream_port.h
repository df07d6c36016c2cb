// UpstreamPort: one TCP connection to a port of a pod, over the API server's port-forward. One
// WebSocket a connection: a reset harms only itself, and each has a backpressure of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "backend/kubernetes/streams/port_framing.h"
#include "backend/kubernetes/streams/upstream.h"
#include "backend/loop_tasks.h"
#include "backend/streams.h"

namespace sluice::backend::kubernetes {

class UpstreamPort final : public PortStream {
 public:
  /// The cluster has no half-close: the client's end is held back until the pod has been silent for
  /// so long, which is then the end of both directions.
  static constexpr nanoseconds kHalfClosePatience = seconds(30);
  /// Once the server has told an error, it has so long to end the connection.
  static constexpr nanoseconds kErrorPatience = seconds(2);

  /// On the loop of `executor`. `tasks` outlives it.
  UpstreamPort(net::Executor executor, LoopTasks& tasks, std::unique_ptr<Upstream> upstream,
               std::unique_ptr<PortFraming> framing);
  ~UpstreamPort() override;

  /// Before all else. Errors: Unavailable, Cancelled.
  net::Task<Result<>> open();

  /// Gives all that has come and fits: the cluster's messages are small.
  net::Task<Result<std::size_t>> read(MutableBytes into) override;
  net::Task<Result<>> write(Bytes bytes) override;
  net::Task<Result<>> half_close() override;
  std::optional<StreamEnd> end() const override { return end_; }

 private:
  static net::Task<> finish(std::unique_ptr<Upstream> upstream,
                            std::unique_ptr<PortFraming> framing);
  static net::Task<> skip_to_end(Upstream& upstream, PortFraming& framing);
  std::size_t read_now(MutableBytes into);
  bool advance();
  Result<> take(const Result<ws::Received>& received);
  Result<> take(PortEvent& event);
  void take_trouble(std::string_view text);
  Result<StreamEnd> end_by(Result<StreamEnd> otherwise) const;
  Result<StreamEnd> end_by(const ws::Close& close) const;

  net::Executor executor_;
  LoopTasks& tasks_;
  std::unique_ptr<Upstream> upstream_;
  std::unique_ptr<PortFraming> framing_;
  Bytes output_;  // received and not yet read
  std::string trouble_;
  std::optional<StreamEnd> end_;
  std::optional<Error> failure_;  // told once all that came before it is read
  bool half_closed_ = false;
  bool is_over_ = false;  // for the cluster, be it well or badly
};

/// What a kubelet says of a port, in short: "connection refused".
std::string port_problem(std::string_view trouble);

}  // namespace sluice::backend::kubernetes
