// TcpStream: a connected TCP socket as a Stream, and how to get one.
#pragma once

#include "base/clock.h"
#include "net/descriptor.h"
#include "net/read_patience.h"
#include "net/stream.h"

namespace sluice::net {

class TcpStream final : public Stream {
 public:
  /// Takes a connected socket; sets TCP_NODELAY.
  TcpStream(Executor executor, UniqueFd socket, std::string peer);

  Task<Result<>> readable() override;
  Task<Result<>> writable() override;
  Result<std::optional<std::size_t>> try_read(MutableBytes into) override;
  Result<std::size_t> try_write(Bytes bytes) override;
  Result<std::size_t> try_write_both(Bytes first, Bytes second) override;
  void shutdown_write() override;
  void close() override;
  void abort() override;
  std::string peer() const override { return peer_; }

  /// As Descriptor::hung_up().
  Task<Result<>> hung_up() { return descriptor_.hung_up(); }

  int fd() { return descriptor_.fd(); }
  /// How long sent data may stay unacknowledged before the connection counts as dead (RFC 5482);
  /// more than 24 days count as 24 days.
  void set_user_timeout(milliseconds timeout);
  /// Probes a peer that has been silent for `idle`, so that one which is gone is noticed (RFC 9293
  /// 3.8.4).
  void set_keepalive(seconds idle);

 private:
  Descriptor descriptor_;
  ReadPatience patience_;
  std::string peer_;
};

/// Connects to one address ("127.0.0.1", "::1"; no names) and port. Errors: Unavailable, its
/// message "connection refused", "timed out" or the system's words; Cancelled.
Task<Result<std::unique_ptr<TcpStream>>> connect_tcp(std::string address, std::uint16_t port);

}  // namespace sluice::net
