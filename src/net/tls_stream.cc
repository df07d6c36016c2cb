#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/current_executor.h"
#include "net/deadline.h"
#include "net/socket_address.h"
#include "net/tls_bio.h"
#include "net/yield.h"

namespace sluice::net {
namespace {

/// Why the handshake or connection failed, in OpenSSL's words.
std::string reason(const SSL* tls) {
  if (const long verdict = SSL_get_verify_result(tls); verdict != X509_V_OK) {
    return std::string("certificate not trusted: ") + X509_verify_cert_error_string(verdict);
  }
  const char* text = ERR_reason_error_string(ERR_peek_last_error());
  return text != nullptr ? text : "connection lost";
}

}  // namespace

TlsStream::TlsStream(std::unique_ptr<TcpStream> tcp, const TlsContext& context)
    : tcp_(std::move(tcp)), tls_(SSL_new(context.get()), SSL_free) {
  BIO* transport = new_tls_bio(*tcp_);
  SSL_set_bio(tls_.get(), transport, transport);
}

TlsStream::~TlsStream() {
  // The peer is told that nothing is missing, if the socket takes it.
  if (!lost_) close();
}

Result<TlsStream::Waits> TlsStream::blocked_on(int result) {
  const int error = SSL_get_error(tls_.get(), result);
  if (error == SSL_ERROR_WANT_READ) return Waits::ForReading;
  if (error == SSL_ERROR_WANT_WRITE) return Waits::ForWriting;
  lost_ = true;
  auto failure = fail(ErrorCode::Unavailable, "TLS: " + reason(tls_.get()));
  ERR_clear_error();
  return failure;
}

Task<Result<>> TlsStream::wait(Waits waits) {
  return waits == Waits::ForReading ? tcp_->readable() : tcp_->writable();
}

Task<Result<>> TlsStream::readable() {
  if (SSL_has_pending(tls_.get()) == 1 && read_waits_ == Waits::ForReading && !drained_) {
    co_return co_await yield();  // a peer that always has more must not keep the loop
  }
  co_return co_await wait(read_waits_);
}

Task<Result<>> TlsStream::writable() { return wait(write_waits_); }

Result<std::optional<std::size_t>> TlsStream::try_read(MutableBytes into) {
  if (lost_) return fail(ErrorCode::Unavailable, "connection closed");
  // What the thread's error queue holds from elsewhere would be taken for an error of this call.
  ERR_clear_error();
  // A call reads one record, and a peer that flushes line by line sends many small ones: all that
  // the last recv(2) brought, as far as there is room.
  std::size_t total = 0;
  do {
    std::size_t count = 0;
    const MutableBytes room = into.subspan(total);
    const int result = SSL_read_ex(tls_.get(), room.data(), room.size(), &count);
    drained_ = result != 1;
    total += count;
    if (result == 1) continue;
    if (SSL_get_error(tls_.get(), result) == SSL_ERROR_ZERO_RETURN) return total;
    const Result<Waits> waits = blocked_on(result);
    if (waits) read_waits_ = *waits;
    if (total > 0) break;  // an error comes again
    if (!waits) return fail(waits.error());
    return std::nullopt;
  } while (total < into.size() && SSL_has_pending(tls_.get()) == 1);
  return total;
}

Result<std::size_t> TlsStream::try_write(Bytes bytes) {
  if (lost_) return fail(ErrorCode::Unavailable, "connection closed");
  if (bytes.empty()) return 0;
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &count);
  if (result == 1) return count;
  TRY(write_waits_, blocked_on(result));
  return 0;
}

void TlsStream::shutdown_write() {
  send_close_notify();
  tcp_->shutdown_write();
}

void TlsStream::send_close_notify() {
  // It is the end of stream that the peer can trust; what it costs when the socket's buffer is full
  // is that the peer sees a truncation.
  ERR_clear_error();
  if (!lost_ && SSL_is_init_finished(tls_.get()) == 1) SSL_shutdown(tls_.get());
  ERR_clear_error();
}

void TlsStream::close() {
  send_close_notify();
  lost_ = true;
  tcp_->close();
}

void TlsStream::abort() {
  lost_ = true;
  tcp_->abort();
}

Task<Result<>> TlsStream::handshake() {
  while (true) {
    ERR_clear_error();
    const int result = SSL_do_handshake(tls_.get());
    if (result == 1) co_return Result<>{};
    CO_TRY(const Waits waits, blocked_on(result));
    CO_TRY_VOID(co_await wait(waits));
  }
}

Task<Result<>> TlsStream::handshake_before(Timers& timers, nanoseconds timeout) {
  const Executor executor = co_await current_executor();
  Deadline deadline(executor, timers, timers.now() + timeout, [this] { abort(); });
  Result<> done = co_await handshake();
  const bool expired = co_await deadline.end();
  if (expired) {
    co_return fail(ErrorCode::Unavailable, "TLS: the handshake took too long");
  }
  co_return done;
}

Task<Result<std::unique_ptr<TlsStream>>> accept_tls(std::unique_ptr<TcpStream> tcp,
                                                    std::shared_ptr<const TlsContext> context,
                                                    Timers& timers, nanoseconds timeout) {
  std::unique_ptr<TlsStream> stream(new TlsStream(std::move(tcp), *context));
  SSL_set_accept_state(stream->tls_.get());
  CO_TRY_VOID(co_await stream->handshake_before(timers, timeout));
  co_return stream;
}

Task<Result<std::unique_ptr<TlsStream>>> connect_tls(std::unique_ptr<TcpStream> tcp,
                                                     std::shared_ptr<const TlsContext> context,
                                                     std::string host, Timers& timers,
                                                     nanoseconds timeout) {
  std::unique_ptr<TlsStream> stream(new TlsStream(std::move(tcp), *context));
  SSL* tls = stream->tls_.get();
  SSL_set_connect_state(tls);
  if (parse_socket_address(host, 0)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host.c_str());
  } else {
    SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(tls, host.c_str());
    SSL_set_tlsext_host_name(tls, host.c_str());
  }
  CO_TRY_VOID(co_await stream->handshake_before(timers, timeout));
  co_return stream;
}

}  // namespace sluice::net
