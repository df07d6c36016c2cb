#include "net/tls_context.h"

#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/bytes.h"
#include "observe/log.h"

namespace sluice::net {
namespace {

/// ALPN's wire form of the only protocol that an upgrade can begin with (RFC 7301 3.1).
constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

constexpr std::size_t kReadAheadBytes = 64_KiB;

std::unexpected<Error> broken(const std::string& file, std::string_view what) {
  char text[256] = "";
  ERR_error_string_n(ERR_peek_last_error(), text, sizeof text);
  ERR_clear_error();
  return fail(Error{ErrorCode::InvalidArgument, file + ": " + std::string(what), {}, text, {}});
}

int select_http11(SSL*, const unsigned char** out, unsigned char* out_size,
                  const unsigned char* offered, unsigned size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11, offered, size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::shared_ptr<SSL_CTX> new_context(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // Released buffers are what makes an idle connection small; the others let a write go on from
  // wherever the bytes then are, and stop after each record.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // One recv(2) a record and not two, one for its header: the buffer is released all the same.
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets need none
  return context;
}

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Bio open_text(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

/// For an encrypted key: OpenSSL would ask whoever sits at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

/// All certificates of the text; none when there is something else in it.
std::vector<Certificate> read_certificates(const std::string& pem) {
  const Bio text = open_text(pem);
  std::vector<Certificate> all;
  while (true) {
    Certificate next(PEM_read_bio_X509(text.get(), nullptr, no_passphrase, nullptr), X509_free);
    if (!next) break;
    all.push_back(std::move(next));
  }
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) return {};
  ERR_clear_error();
  return all;
}

Result<> trust(SSL_CTX* context, const std::string& pem) {
  const std::vector<Certificate> authorities = read_certificates(pem);
  if (authorities.empty()) return broken("certificate authorities", "no readable PEM");
  for (const Certificate& authority : authorities) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
  }
  return {};
}

Result<> present(SSL_CTX* context, const std::string& certificate_pem, const std::string& key_pem) {
  const std::vector<Certificate> chain = read_certificates(certificate_pem);
  if (chain.empty() || SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    return broken("client certificate", "not a readable PEM certificate");
  }
  for (std::size_t i = 1; i < chain.size(); ++i) SSL_CTX_add1_chain_cert(context, chain[i].get());
  const Bio text = open_text(key_pem);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(text.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return broken("client key", "not a readable PEM private key, or not the certificate's");
  }
  return {};
}

/// Changes whenever either file does.
std::string version_of(const std::string& certificate_file, const std::string& key_file) {
  std::string version;
  for (const std::string& file : {certificate_file, key_file}) {
    struct stat status{};
    ::stat(file.c_str(), &status);
    version += std::to_string(status.st_ino) + ":" + std::to_string(status.st_size) + ":" +
               std::to_string(status.st_mtim.tv_sec) + "." +
               std::to_string(status.st_mtim.tv_nsec) + " ";
  }
  return version;
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::for_server(
    const std::string& certificate_file, const std::string& key_file) {
  std::shared_ptr<SSL_CTX> context = new_context(TLS_server_method());
  SSL_CTX_set_alpn_select_cb(context.get(), select_http11, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    return broken(certificate_file, "not a readable PEM certificate");
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return broken(key_file, "not a readable PEM private key, or not the certificate's");
  }
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(context)));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::for_client(const TlsClientOptions& options) {
  std::shared_ptr<SSL_CTX> context = new_context(TLS_client_method());
  SSL_CTX_set_alpn_protos(context.get(), kHttp11, sizeof kHttp11);
  // Servers are read for their bulk: several records of full size at once.
  SSL_CTX_set_default_read_buffer_len(context.get(), kReadAheadBytes);
  SSL_CTX_set_verify(context.get(), options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!options.authorities_pem.empty()) {
    TRY_VOID(trust(context.get(), options.authorities_pem));
  }
  if (options.authorities_pem.empty() || options.system_authorities) {
    SSL_CTX_set_default_verify_paths(context.get());
  }
  if (!options.certificate_pem.empty()) {
    TRY_VOID(present(context.get(), options.certificate_pem, options.key_pem));
  }
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(context)));
}

TlsCertificate::TlsCertificate(std::string certificate_file, std::string key_file,
                               std::shared_ptr<const TlsContext> context, std::string version)
    : certificate_file_(std::move(certificate_file)),
      key_file_(std::move(key_file)),
      current_(std::move(context)),
      version_(std::move(version)) {}

Result<std::unique_ptr<TlsCertificate>> TlsCertificate::open(std::string certificate_file,
                                                             std::string key_file) {
  std::string version = version_of(certificate_file, key_file);
  TRY(auto context, TlsContext::for_server(certificate_file, key_file));
  return std::unique_ptr<TlsCertificate>(new TlsCertificate(
      std::move(certificate_file), std::move(key_file), std::move(context), std::move(version)));
}

void TlsCertificate::reload_if_changed() {
  std::string version = version_of(certificate_file_, key_file_);
  if (version == version_) return;
  version_ = std::move(version);
  auto context = TlsContext::for_server(certificate_file_, key_file_);
  if (!context) {
    return log(LogLevel::Error, "TLS certificate not reloaded, the old one stays in force",
               context.error());
  }
  current_.store(*std::move(context));
  log(LogLevel::Info, "TLS certificate reloaded", {{"certificate", certificate_file_}});
}

}  // namespace sluice::net
