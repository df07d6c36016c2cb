#include "backend/kubernetes/access/kubeconfig.h"

#include <gmock/gmock.h>

namespace sluice::backend::kubernetes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

/// A kubeconfig with one context; the texts are further lines of its cluster and user.
std::string one_context(const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\npreferences: {}\ncurrent-context: c\n"
         "contexts:\n- name: c\n  context: {cluster: k, user: u, namespace: n}\n"
         "clusters:\n- name: k\n  cluster:\n    server: https://k.example:6443\n" +
         cluster + "users:\n- name: u\n  user:\n    unknown: tolerated\n" + user;
}

Result<ClusterConfig> parse(const std::string& text, std::string_view context = "") {
  const KubeconfigFile file{"/home/u/.kube/config", text};
  return parse_kubeconfig(std::span(&file, 1), context);
}

std::string problem(const std::string& text, std::string_view context = "") {
  const auto config = parse(text, context);
  return config ? "none" : config.error().message;
}

TEST(Kubeconfig, ContextBringsClusterAndUserTogether) {
  const auto config = parse(one_context("    tls-server-name: api\n", "    token: t\n"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->servers, ElementsAre("https://k.example:6443"));
  EXPECT_EQ(config->tls_server_name, "api");
  EXPECT_EQ(config->token, "t");
  EXPECT_FALSE(config->insecure_skip_tls_verify);
}

TEST(Kubeconfig, ItMayBeJson) {
  const auto config = parse(R"({"current-context":"c",
    "contexts":[{"name":"c","context":{"cluster":"k","user":""}}],
    "clusters":[{"name":"k","cluster":{"server":"http://127.0.0.1:8001"}}],"users":null})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->servers, ElementsAre("http://127.0.0.1:8001"));
}

TEST(Kubeconfig, FirstFileThatNamesSomethingWins) {
  const KubeconfigFile files[] = {
      {"/a", "clusters: [{name: k, cluster: {server: 'https://first'}}]"},
      {"/b",
       "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
       "clusters: [{name: k, cluster: {server: 'https://second'}}]"},
      {"/c", "current-context: d\nusers: [{name: u, user: {token: t}}]"}};
  const auto config = parse_kubeconfig(files, "");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->servers, ElementsAre("https://first"));
  EXPECT_EQ(config->token, "t");
}

TEST(Kubeconfig, ChosenContextComesBeforeTheCurrentOne) {
  const std::string text =
      "current-context: a\ncontexts: [{name: a, context: {cluster: x}}, {name: b, context: "
      "{cluster: y}}]\nclusters: [{name: x, cluster: {server: 'https://x'}}, {name: y, cluster: "
      "{server: 'https://y'}}]";
  EXPECT_THAT(parse(text)->servers, ElementsAre("https://x"));
  EXPECT_THAT(parse(text, "b")->servers, ElementsAre("https://y"));
}

TEST(Kubeconfig, InlineTextComesBeforeAFile) {
  const auto config = parse(one_context(
      "    certificate-authority: ca.crt\n    certificate-authority-data: Q0E=\n",
      "    client-certificate: /abs/crt\n    client-key: ../key\n    client-key-data: S0VZ\n"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->authorities, (TextOrFile{.text = "CA"}));
  EXPECT_EQ(config->client_certificate, (TextOrFile{.file = "/abs/crt"}));
  EXPECT_EQ(config->client_key, (TextOrFile{.text = "KEY"}));
}

TEST(Kubeconfig, PathsAreRelativeToTheirFile) {
  const auto config =
      parse(one_context("    certificate-authority: pki/ca.crt\n", "    tokenFile: ../token\n"));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->authorities.file, "/home/u/.kube/pki/ca.crt");
  EXPECT_EQ(config->token_file, "/home/u/.kube/../token");
}

TEST(Kubeconfig, TokenFileComesBeforeAToken) {
  const auto config = parse(one_context("", "    token: t\n    tokenFile: /token\n"));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->token, "");
  EXPECT_EQ(config->token_file, "/token");
}

TEST(Kubeconfig, PluginIsReadWhole) {
  const auto config = parse(one_context("", R"(    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: ./bin/login
      args: [get, "--cluster=x"]
      env: [{name: A, value: b}]
      provideClusterInfo: true
      installHint: get it there
      interactiveMode: IfAvailable
)"));
  ASSERT_TRUE(config) << config.error().message;
  const ExecPlugin& plugin = *config->exec;
  EXPECT_EQ(plugin.api_version, "client.authentication.k8s.io/v1beta1");
  EXPECT_EQ(plugin.command, "/home/u/.kube/./bin/login");
  EXPECT_THAT(plugin.arguments, ElementsAre("get", "--cluster=x"));
  EXPECT_THAT(plugin.environment, ElementsAre(Pair("A", "b")));
  EXPECT_TRUE(plugin.wants_cluster);
  EXPECT_EQ(plugin.install_hint, "get it there");
}

TEST(Kubeconfig, PluginsBareNameIsLeftToThePath) {
  const auto config = parse(one_context("", R"(    exec: {
      apiVersion: client.authentication.k8s.io/v1, command: aws, args: null, env: null})"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->exec->command, "aws");
}

TEST(Kubeconfig, MissingContextNamesThoseThereAre) {
  EXPECT_EQ(problem(one_context("", ""), "x"),
            "/home/u/.kube/config: no context \"x\": there are c");
  EXPECT_THAT(problem("contexts: []"), HasSubstr("no current-context"));
}

TEST(Kubeconfig, ProblemIsPlacedAndSaysWhatWouldBeRight) {
  EXPECT_THAT(problem(one_context("    certificate-authority-data: '!'\n", "")),
              HasSubstr("/home/u/.kube/config:12: "));
  EXPECT_THAT(problem(one_context("    certificate-authority-data: '!'\n", "")),
              HasSubstr("expected base64"));
  EXPECT_THAT(problem(one_context("    proxy-url: ftp://p\n", "")), HasSubstr("socks5://"));
  EXPECT_THAT(problem(one_context("    insecure-skip-tls-verify: yes please\n", "")),
              HasSubstr("expected true or false"));
  EXPECT_THAT(problem("current-context: c\ncontexts: [{name: c, context: {cluster: q}}]"),
              HasSubstr("no cluster \"q\": there are none"));
  EXPECT_THAT(problem("current-context: c\ncontexts: [{name: c, context: {cluster: q}}]\n"
                      "clusters: [{name: q, cluster: {server: 'k:6443'}}]"),
              HasSubstr("expected a URL such as https://"));
  EXPECT_THAT(problem("contexts: {}"), HasSubstr("expected a list"));
}

TEST(Kubeconfig, WhatIsNotOursIsRefused) {
  for (const auto& [line, expected] : {std::pair("username: u", "basic authentication"),
                                       {"password: p", "basic authentication"},
                                       {"auth-provider: {name: oidc}", "use an exec plugin"},
                                       {"as: root", "impersonation"},
                                       {"as-groups: [a]", "impersonation"},
                                       {"as-user-extra: {a: [b]}", "impersonation"}}) {
    EXPECT_THAT(problem(one_context("", "    " + std::string(line) + "\n")), HasSubstr(expected));
  }
}

TEST(Kubeconfig, WhatExcludesEachOtherIsRefused) {
  EXPECT_THAT(problem(one_context(
                  "    insecure-skip-tls-verify: true\n    certificate-authority: a\n", "")),
              HasSubstr("exclude each other"));
  EXPECT_THAT(problem(one_context("", "    client-certificate: a\n")),
              HasSubstr("belong together"));
  const std::string exec = "    exec: {apiVersion: client.authentication.k8s.io/v1, command: a, ";
  EXPECT_THAT(problem(one_context("", exec + "env: []}\n    token: t\n")),
              HasSubstr("exclude each other"));
  EXPECT_THAT(problem(one_context("", exec + "interactiveMode: Always}\n")),
              HasSubstr("no terminal"));
  EXPECT_THAT(problem(one_context("", "    exec: {apiVersion: v2, command: a}\n")),
              HasSubstr("client.authentication.k8s.io/v1"));
}

TEST(Kubeconfig, ListOfFilesIsSplit) {
  EXPECT_THAT(split_kubeconfig_list("/a::/b:"), ElementsAre("/a", "/b"));
  EXPECT_TRUE(split_kubeconfig_list("").empty());
}

}  // namespace
}  // namespace sluice::backend::kubernetes
