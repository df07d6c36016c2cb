// TlsContext: what a TLS endpoint is configured with: its certificate and key, or whom it trusts.
// TLS 1.2 and up, ALPN http/1.1. Confines OpenSSL together with tls_stream.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace sluice::net {

/// What a TLS client is told as text, not files.
struct TlsClientOptions {
  std::string authorities_pem;      // whom it trusts; empty: the system's authorities
  bool system_authorities = false;  // trusted beside authorities_pem
  std::string certificate_pem;      // with its chain, leaf first; empty: none is presented
  std::string key_pem;
  bool verify = true;  // false: takes any server for the one it means
  bool operator==(const TlsClientOptions&) const = default;
};

/// Immutable once made; any thread may use it.
class TlsContext {
 public:
  /// PEM files: the certificate with its chain, and its private key. Errors: InvalidArgument,
  /// naming the file and what is wrong with it.
  static Result<std::shared_ptr<const TlsContext>> for_server(const std::string& certificate_file,
                                                              const std::string& key_file);
  /// Errors: InvalidArgument, saying which of the texts is wrong.
  static Result<std::shared_ptr<const TlsContext>> for_client(const TlsClientOptions& options);

  ssl_ctx_st* get() const { return context_.get(); }

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}

  std::shared_ptr<ssl_ctx_st> context_;  // shared only to carry its deleter
};

/// A server's certificate, read again when its files change.
class TlsCertificate {
 public:
  /// Errors: InvalidArgument.
  static Result<std::unique_ptr<TlsCertificate>> open(std::string certificate_file,
                                                      std::string key_file);

  /// For the next connection. Any thread.
  std::shared_ptr<const TlsContext> current() const { return current_.load(); }
  /// Looks whether the files changed; broken ones leave the old in force and are logged once. One
  /// thread.
  void reload_if_changed();

 private:
  TlsCertificate(std::string certificate_file, std::string key_file,
                 std::shared_ptr<const TlsContext> context, std::string version);

  std::string certificate_file_;
  std::string key_file_;
  std::atomic<std::shared_ptr<const TlsContext>> current_;
  std::string version_;  // of both files, as last read
};

}  // namespace sluice::net
