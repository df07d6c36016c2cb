#include "backend/kubernetes/access/exec_credential.h"

#include <gmock/gmock.h>

#include "base/text.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kV1 = "client.authentication.k8s.io/v1";

std::string output(const std::string& status) {
  return R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":)" +
         status + "}";
}

TEST(ExecCredential, TokenAndItsExpiryAreRead) {
  const auto credential = parse_exec_credential(
      output(R"({"token":"t","expirationTimestamp":"2026-01-02T03:04:05Z"})"), kV1);
  ASSERT_TRUE(credential) << credential.error().message;
  EXPECT_EQ(credential->token, "t");
  EXPECT_EQ(credential->expires, parse_rfc3339("2026-01-02T03:04:05Z"));
}

TEST(ExecCredential, CertificateWithItsKeyIsEnough) {
  const auto credential =
      parse_exec_credential(output(R"({"clientCertificateData":"c","clientKeyData":"k"})"), kV1);
  ASSERT_TRUE(credential);
  EXPECT_EQ(credential->certificate_pem, "c");
  EXPECT_EQ(credential->key_pem, "k");
  EXPECT_EQ(credential->expires, std::nullopt);
}

TEST(ExecCredential, WhatIsNoneIsRefused) {
  const std::pair<std::string, std::string> expected[] = {
      {"Usage: login", "no ExecCredential"},
      {"[]", "kind"},
      {output("null"), "no status"},
      {output("{}"), "neither a token nor"},
      {output(R"({"clientKeyData":"k"})"), "belong together"},
      {output(R"({"token":"t","expirationTimestamp":"tomorrow"})"), "RFC 3339"},
      {R"({"apiVersion":"v2","kind":"ExecCredential","status":{"token":"t"}})", "the kubeconfig"},
  };
  for (const auto& [text, why] : expected) {
    const auto credential = parse_exec_credential(text, kV1);
    ASSERT_FALSE(credential) << text;
    EXPECT_THAT(credential.error().message, HasSubstr(why));
  }
}

TEST(ExecCredential, PluginIsToldOfTheClusterWhereItAsks) {
  ExecPlugin plugin{.api_version = std::string(kV1)};
  const ClusterConfig cluster{.servers = {"https://k"}, .tls_server_name = "n"};
  EXPECT_EQ(exec_info(plugin, cluster, "CA"),
            R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",)"
            R"("spec":{"interactive":false}})");
  plugin.wants_cluster = true;
  EXPECT_THAT(exec_info(plugin, cluster, "CA"),
              HasSubstr(R"("cluster":{"server":"https://k","tls-server-name":"n",)"
                        R"("certificate-authority-data":"Q0E="})"));
}

}  // namespace
}  // namespace sluice::backend::kubernetes
