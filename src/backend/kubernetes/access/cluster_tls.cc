#include "backend/kubernetes/access/cluster_tls.h"

#include "base/bytes.h"
#include "base/file.h"
#include "observe/log.h"

namespace sluice::backend::kubernetes {
namespace {

constexpr std::size_t kMaxPemBytes = 4_MiB;

Result<std::string> read(const TextOrFile& source) {
  if (!source.text.empty() || source.file.empty()) return source.text;
  Result<std::string> text = read_file(source.file, kMaxPemBytes);
  if (text && text->empty()) text = fail(ErrorCode::InvalidArgument, "the file is empty");
  if (!text) text.error().message = source.file + ": " + text.error().message;
  return text;
}

}  // namespace

Result<std::string> ClusterTls::authorities() const {
  return kubernetes::read(config_.authorities);
}

Result<net::TlsClientOptions> ClusterTls::read(const ExecCredential& credential) const {
  net::TlsClientOptions options{.certificate_pem = credential.certificate_pem,
                                .key_pem = credential.key_pem,
                                .verify = !config_.insecure_skip_tls_verify};
  TRY(options.authorities_pem, authorities());
  if (!options.certificate_pem.empty()) return options;
  TRY(options.certificate_pem, kubernetes::read(config_.client_certificate));
  TRY(options.key_pem, kubernetes::read(config_.client_key));
  return options;
}

Result<std::shared_ptr<const net::TlsContext>> ClusterTls::current(
    const ExecCredential& credential) {
  const std::lock_guard lock(mutex_);
  Result<net::TlsClientOptions> source = read(credential);
  if (source && context_ && *source == source_) return context_;
  Result<std::shared_ptr<const net::TlsContext>> made = fail(Error{});
  if (source) made = net::TlsContext::for_client(*source);
  if (source && made) {
    source_ = *std::move(source);
    context_ = *std::move(made);
    last_problem_.clear();
    return context_;
  }
  const Error problem = source ? made.error() : source.error();
  if (problem.message != last_problem_) {
    last_problem_ = problem.message;
    log(LogLevel::Error, "certificates for the cluster not loaded", problem);
  }
  if (context_) return context_;
  Error error{ErrorCode::Unavailable,
              "the gateway could not load its certificates for the cluster"};
  error.cause = problem.message;
  return fail(std::move(error));
}

}  // namespace sluice::backend::kubernetes
