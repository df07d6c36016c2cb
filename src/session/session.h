// Sessions: the life of an upgraded connection. Each run_*_session() pumps bytes between a
// WebSocket and one stream of the backend until something ends it, and says what. It sends no Close
// and knows no HTTP: the gateway sends what close_for() makes of the SessionEnd.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/streams.h"
#include "net/event.h"
#include "net/timers.h"
#include "ws/connection.h"

namespace sluice::session {

/// Why a session ended. close_for() maps it to a CloseCode.
enum class SessionEndKind {
  Completed,        // 1000: the target ended, or there is no more to read
  ClientClosed,     // the peer's Close is echoed
  Disconnected,     // the connection is gone: nothing can be sent
  TargetDeleted,    // 1001 pod deleted
  ShuttingDown,     // 1001 server shutting down
  IdleTimeout,      // 1001 idle timeout
  TokenExpired,     // 1008 token expired
  ProtocolError,    // 1002, 1007 or 1009 as ws::Connection::violation() says
  UpstreamFailed,   // 1011 with the upstream's message
  RecordingFailed,  // 1011 with what is wrong with it
};

/// Of a TargetDeleted: for the Close frame, and wherever else a client is told.
inline constexpr std::string_view kPodDeleted = "pod deleted";

struct SessionEnd {
  SessionEndKind kind = SessionEndKind::Completed;
  std::string reason;              // for the Close frame: "exit code 3"; may be empty
  std::optional<ws::Close> close;  // ClientClosed: what the peer sent; ProtocolError: what to send
  std::optional<int> exit_code;    // Completed: of a process that ended by itself
};

/// Tells one running session something from outside, but on its loop. The session waits on its
/// event for nothing else, so each has one of its own.
class Interruption {
 public:
  explicit Interruption(net::Executor executor) : event(executor) {}
  /// Asks it to end: at shutdown.
  void interrupt(SessionEnd end) {
    requested = std::move(end);
    event.notify();
  }
  /// The wall clock was set: what it sleeps for may be due earlier.
  void wall_clock_set() { event.notify(); }
  net::Event event;
  std::optional<SessionEnd> requested;
};

/// What a session counts as it goes; bytes are counted by its ws::Connection.
struct SessionStats {
  std::uint64_t lines = 0;  // of a log, sent
};

/// What every session is run with; references outlive it.
struct SessionContext {
  net::Executor executor;
  net::Timers& timers;
  Interruption& interruption;
  nanoseconds ping_interval = seconds(30);
  nanoseconds idle_timeout = std::chrono::minutes(5);
  WallTime token_expires_at = WallTime::max();
  SessionStats* stats = nullptr;  // may be null; outlives the session
};

/// How client and server frame the streams of exec, attach and port-forward.
enum class Framing { Raw, ChannelsV4, ChannelsV5 };

/// What the client asked of empty binary messages in raw framing (stdinEof=empty, halfClose=empty).
enum class EmptyMessage { IsNothing, EndsInput };

struct ProcessSessionOptions {
  Framing framing = Framing::Raw;
  EmptyMessage empty_message = EmptyMessage::IsNothing;
  backend::StreamOptions streams;  // which channels exist
};

struct PortSessionOptions {
  Framing framing = Framing::Raw;  // Raw only with one port
  EmptyMessage empty_message = EmptyMessage::IsNothing;
};

/// A port of the request and what became of connecting to it.
struct ForwardedPort {
  std::uint16_t port = 0;
  Result<std::unique_ptr<backend::PortStream>> stream;
};

/// One line per binary message.
net::Task<SessionEnd> run_log_session(SessionContext context, ws::Connection& socket,
                                      backend::LogStream& log);
/// exec and attach.
net::Task<SessionEnd> run_process_session(SessionContext context, ws::Connection& socket,
                                          backend::RemoteProcess& process,
                                          ProcessSessionOptions options);
net::Task<SessionEnd> run_port_session(SessionContext context, ws::Connection& socket,
                                       std::vector<ForwardedPort> ports,
                                       PortSessionOptions options);

/// The one table SessionEnd -> Close frame (close.cc); nullopt when nothing can be sent
/// (Disconnected). The reason is cut to what a Close frame holds: 123 bytes of valid UTF-8.
std::optional<ws::Close> close_for(const SessionEnd& end);

}  // namespace sluice::session
