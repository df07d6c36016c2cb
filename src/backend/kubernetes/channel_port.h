// ChannelPort: one TCP connection to a port of a pod, over the API server's port-forward with
// channel pairs (v4.channel.k8s.io). One WebSocket a connection: a reset harms only itself, and
// each has a backpressure of its own. Source: kubernetes/cri-streaming pkg/streaming/portforward.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "backend/kubernetes/loop_tasks.h"
#include "backend/kubernetes/upstream.h"
#include "backend/streams.h"
#include "channel/demultiplexer.h"

namespace sluice::backend::kubernetes {

class ChannelPort final : public PortStream {
 public:
  /// The protocol has no half-close: the client's end is held back until the pod has been silent
  /// for so long, which is then the end of both directions.
  static constexpr nanoseconds kHalfClosePatience = seconds(30);
  /// Once the server has told an error, it has so long for its Close.
  static constexpr nanoseconds kErrorPatience = seconds(2);

  /// On the loop of `executor`. `tasks` outlives it.
  ChannelPort(net::Executor executor, LoopTasks& tasks, std::unique_ptr<Upstream> upstream);
  ~ChannelPort() override;

  net::Task<Result<std::size_t>> read(MutableBytes into) override;
  net::Task<Result<>> write(Bytes bytes) override;
  net::Task<Result<>> half_close() override;
  std::optional<StreamEnd> end() const override { return end_; }

 private:
  enum class Announcement { Expected, Seen };

  void take(const ws::MessagePiece& piece);
  void take_error(std::string_view text);
  Result<StreamEnd> end_of(const ws::Close& close) const;

  net::Executor executor_;
  LoopTasks& tasks_;
  std::unique_ptr<Upstream> upstream_;
  channel::Demultiplexer demultiplexer_;
  Announcement data_ = Announcement::Expected;  // the first message of each channel is the port
  Announcement error_ = Announcement::Expected;
  Bytes output_;  // received and not yet read
  std::string error_text_;
  std::optional<StreamEnd> end_;
  bool half_closed_ = false;
};

/// What a kubelet says of a port, in short: "connection refused".
std::string port_problem(std::string_view error_text);

}  // namespace sluice::backend::kubernetes
