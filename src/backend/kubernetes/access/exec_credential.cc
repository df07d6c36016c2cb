#include "backend/kubernetes/access/exec_credential.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"

namespace sluice::backend::kubernetes {
namespace {

std::unexpected<Error> bad(std::string problem) {
  return fail(ErrorCode::InvalidArgument, "its output is no ExecCredential: " + problem);
}

}  // namespace

std::string exec_info(const ExecPlugin& plugin, const ClusterConfig& cluster,
                      std::string_view authorities_pem) {
  json::object spec{{"interactive", false}};
  if (plugin.wants_cluster) {
    json::object described{{"server", cluster.servers.front()}};
    if (!cluster.tls_server_name.empty()) described["tls-server-name"] = cluster.tls_server_name;
    if (cluster.insecure_skip_tls_verify) described["insecure-skip-tls-verify"] = true;
    if (!authorities_pem.empty()) {
      described["certificate-authority-data"] = base64_encode(as_bytes(authorities_pem));
    }
    if (!cluster.proxy_url.empty()) described["proxy-url"] = cluster.proxy_url;
    spec["cluster"] = std::move(described);
  }
  return json::serialize(json::object{
      {"apiVersion", plugin.api_version}, {"kind", "ExecCredential"}, {"spec", std::move(spec)}});
}

Result<ExecCredential> parse_exec_credential(std::string_view text, std::string_view api_version) {
  const Result<json::value> parsed = json::parse(text);
  if (!parsed) return bad(parsed.error().message);
  const json::object* object = parsed->if_object();
  if (object == nullptr || json::text_of(*object, "kind") != "ExecCredential") {
    return bad("kind is not ExecCredential");
  }
  if (const std::string version = json::text_of(*object, "apiVersion"); version != api_version) {
    return bad(fmt::format("apiVersion is \"{}\", the kubeconfig says {}", version, api_version));
  }
  const json::object* status = json::find_object(*object, "status");
  if (status == nullptr) return bad("it has no status");
  ExecCredential credential{.token = json::text_of(*status, "token"),
                            .certificate_pem = json::text_of(*status, "clientCertificateData"),
                            .key_pem = json::text_of(*status, "clientKeyData")};
  if (credential.certificate_pem.empty() != credential.key_pem.empty()) {
    return bad("clientCertificateData and clientKeyData belong together");
  }
  if (credential.token.empty() && credential.certificate_pem.empty()) {
    return bad("it has neither a token nor a client certificate");
  }
  if (const std::string expires = json::text_of(*status, "expirationTimestamp"); !expires.empty()) {
    credential.expires = parse_rfc3339(expires);
    if (!credential.expires) return bad("expirationTimestamp is no RFC 3339 time");
  }
  return credential;
}

}  // namespace sluice::backend::kubernetes
