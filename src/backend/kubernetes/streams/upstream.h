// Upstream: a session's WebSocket to the API server (exec, attach, port-forward) with what keeps it
// honest: pings and empty messages against idle cuts on the way, and an eye on the pod, since the
// API server may leave a stream open, frozen, when its pod is gone.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "backend/kubernetes/cache/pod_watch.h"
#include "net/task_group.h"
#include "net/timers.h"
#include "net/write_turns.h"
#include "ws/connection.h"

namespace sluice::backend::kubernetes {

class Upstream final {
 public:
  /// golang.org/x/net/websocket reads a message from one frame of at most 32 MiB, as a whole.
  static constexpr std::size_t kMaxMessageBytes = 128_KiB;
  /// Of it: what many programs write at once, so that no small message has to follow.
  static constexpr std::size_t kMaxPayloadBytes = 64_KiB;
  /// The usual one. Load balancers cut what is silent for a minute or less.
  static constexpr nanoseconds kPingInterval = seconds(20);
  /// A server that leaves so many pings unanswered is gone, unless it may be stuck.
  static constexpr int kMissingPongs = 3;
  /// The API server and container runtimes end a stream without messages after 4 hours; pings
  /// don't count there.
  static constexpr nanoseconds kMessageInterval = std::chrono::hours(1);
  /// How long a stream may be silent whose pod is gone.
  static constexpr nanoseconds kGonePatience = seconds(1);
  /// How long the API server may take for what we sent last and for our Close.
  static constexpr nanoseconds kClosePatience = seconds(10);

  struct Options {
    nanoseconds ping_interval = kPingInterval;
    /// The message that kMessageInterval asks for; empty: an empty one. One that says something is
    /// for the node, and goes out every ping_interval while receive() waits.
    std::string keep_alive;
  };
  /// What a message has before a payload of that size; valid until the next call.
  using HeaderOf = std::move_only_function<Bytes(std::size_t payload_bytes)>;

  /// On the loop of `executor`. `timers` outlives it.
  Upstream(net::Executor executor, net::Timers& timers, std::unique_ptr<ws::Connection> socket,
           std::unique_ptr<PodWatch> pod, Options options);
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  /// The next piece of a message, valid until the next receive(); or a Close: the server's, one
  /// with the code Abnormal where the connection is lost, Normal where we ended it. One at a time.
  /// Errors: Cancelled.
  net::Task<Result<ws::Received>> receive();
  /// The same without the wait: nullopt: nothing more has come yet.
  std::optional<Result<ws::Received>> try_receive();
  /// Sends a message that the server itself takes, not the pod. Errors: as send().
  net::Task<Result<>> open(Bytes message);
  /// Sends one message, never fragmented: the API server takes a continuation for a new message.
  /// Callers take turns. Errors: Unavailable, Cancelled.
  net::Task<Result<>> send(Bytes message);
  /// Sends a payload, in as many messages as it takes. Errors: as send().
  net::Task<Result<>> send_behind(HeaderOf header_of, Bytes payload);
  /// Sends it in the background, when it is its turn; a newer one replaces one that still waits.
  void send_latest(std::string message);
  /// Leaves with the Close of end(), or before.
  void append(Bytes message);

  /// The server has said that the stream is over: receive() waits at most so long for more.
  void end_when_silent(nanoseconds patience);
  /// We have no more to send: says it once receive() has waited so long in vain, by the message or,
  /// where that is empty, by a Close.
  void finish_when_silent(nanoseconds patience, std::string message);
  /// receive() gives what comes within so long.
  void end_after(nanoseconds patience);

  /// The pod is gone, or on its way.
  bool is_pod_ending() const;

  /// Ends what runs and says goodbye, in a task that owns the upstream: for whoever lets go of it.
  static net::Task<> end(std::unique_ptr<Upstream> upstream);

 private:
  net::Task<> keep_alive();
  net::Task<> watch_pod();
  net::Task<> write_latest();
  net::Task<> give_up_after(nanoseconds silence);
  net::Task<> finish_after(nanoseconds silence, std::string message);
  net::Task<> give_up_later(nanoseconds delay);
  net::Task<Result<>> be_silent(nanoseconds patience);
  net::Task<Result<>> write(ws::Opcode opcode, Bytes payload);
  Result<ws::Received> explained(Result<ws::Received> received) const;
  Result<> explained(Result<> sent) const;
  bool is_answering() const;
  void give_up(ws::Close close);

  net::Timers& timers_;
  std::unique_ptr<ws::Connection> socket_;
  std::unique_ptr<PodWatch> pod_;
  const Options options_;
  net::WriteTurns turns_;
  std::optional<MonotonicTime> waiting_since_;  // receive() does
  std::optional<ws::Close> given_up_;           // the stream is ended by us; what receive() returns
  std::optional<std::string> latest_;
  bool writing_latest_ = false;
  bool has_sent_ = false;
  net::TaskGroup tasks_;  // refer to this; ended by end()
};

}  // namespace sluice::backend::kubernetes
