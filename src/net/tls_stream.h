// TlsStream: TLS over a TcpStream, straight on its descriptor: an idle connection holds the
// session's state and no buffers (ADR 0001).
#pragma once

#include <memory>
#include <string>

#include "net/tcp_stream.h"
#include "net/timers.h"
#include "net/tls_context.h"

struct ssl_st;  // OpenSSL's SSL

namespace sluice::net {

class TlsStream final : public Stream {
 public:
  ~TlsStream() override;

  Task<Result<>> readable() override;
  Task<Result<>> writable() override;
  Result<std::optional<std::size_t>> try_read(MutableBytes into) override;
  Result<std::size_t> try_write(Bytes bytes) override;
  void shutdown_write() override;
  void close() override;
  void abort() override;
  std::string peer() const override { return tcp_->peer(); }
  TcpStream& tcp() { return *tcp_; }

 private:
  enum class Waits { ForReading, ForWriting };

  TlsStream(std::unique_ptr<TcpStream> tcp, const TlsContext& context);
  friend Task<Result<std::unique_ptr<TlsStream>>> accept_tls(std::unique_ptr<TcpStream>,
                                                             std::shared_ptr<const TlsContext>,
                                                             Timers&, nanoseconds);
  friend Task<Result<std::unique_ptr<TlsStream>>> connect_tls(std::unique_ptr<TcpStream>,
                                                              std::shared_ptr<const TlsContext>,
                                                              std::string, Timers&, nanoseconds);
  Task<Result<>> handshake();
  Task<Result<>> handshake_before(Timers& timers, nanoseconds timeout);
  Task<Result<>> wait(Waits waits);
  void send_close_notify();
  /// What a call that made no progress waits for; an error when the connection is lost.
  Result<Waits> blocked_on(int result);

  std::unique_ptr<TcpStream> tcp_;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> tls_;
  Waits read_waits_ = Waits::ForReading;   // TLS may have to write in order to read,
  Waits write_waits_ = Waits::ForWriting;  // and the other way round (key update, RFC 8446 4.6.3)
  bool drained_ = false;                   // the last read found nothing whole in what was received
  bool lost_ = false;
};

/// Server side: completes the handshake within `timeout`. Errors: Unavailable.
Task<Result<std::unique_ptr<TlsStream>>> accept_tls(std::unique_ptr<TcpStream> tcp,
                                                    std::shared_ptr<const TlsContext> context,
                                                    Timers& timers, nanoseconds timeout);
/// Client side: the server's certificate must be for `host` (a name or an address). Errors:
/// Unavailable, saying why the server is not trusted.
Task<Result<std::unique_ptr<TlsStream>>> connect_tls(std::unique_ptr<TcpStream> tcp,
                                                     std::shared_ptr<const TlsContext> context,
                                                     std::string host, Timers& timers,
                                                     nanoseconds timeout);

}  // namespace sluice::net
