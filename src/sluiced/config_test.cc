#include "sluiced/config.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ws/frame_decoder.h"

namespace sluice::sluiced {
namespace {

constexpr std::string_view kAuth = "auth: {development: {enabled: true}}\n";
constexpr std::string_view kRules = "authorization: {rules: []}\n";
constexpr std::string_view kBackend =
    "backend: {kind: local, local: {workloads: w.yaml, stateDir: state}}\n";
constexpr std::string_view kListen = "listen: 127.0.0.1:0\n";

std::string minimal() { return std::string(kListen).append(kAuth).append(kRules).append(kBackend); }

std::string message_of(std::string_view text) {
  const auto config = parse_config(text, "/etc/sluice/s.yaml");
  return config ? "no error" : config.error().message;
}

/// The message for a minimal configuration with more lines in front of it; line 1 is the first of
/// them.
std::string message_with(std::string_view lines) {
  return message_of(std::string(lines) + "\n" + minimal());
}

TEST(Config, MinimalHasTheDefaultsOfTheContract) {
  const Config config = *parse_config(minimal(), "/etc/sluice/s.yaml");
  EXPECT_EQ(config.listen, (std::vector<net::ListenAddress>{{"127.0.0.1", 0}}));
  EXPECT_FALSE(config.tls);
  EXPECT_FALSE(config.admin);
  EXPECT_EQ(config.gateway.base_path, "/cluster-api");
  EXPECT_EQ(config.gateway.ping_interval, seconds(30));
  EXPECT_EQ(config.gateway.idle_timeout, seconds(300));
  EXPECT_EQ(config.gateway.shutdown_grace, seconds(30));
  EXPECT_EQ(config.gateway.max_sessions, 20'000u);
  EXPECT_EQ(config.gateway.max_sessions_per_user, 1'000u);
  EXPECT_EQ(config.gateway.max_buffered_bytes, std::size_t{1} << 30);
  EXPECT_EQ(config.gateway.upgrade_rate.per_second, 10'000u);
  EXPECT_EQ(config.gateway.upgrade_rate.burst, 20'000u);
  EXPECT_EQ(config.gateway.upgrade_rate_per_user.per_second, 1'000u);
  EXPECT_EQ(config.gateway.upgrade_rate_per_user.burst, 2'000u);
  EXPECT_EQ(config.gateway.http.head_bytes, 65'536u);
  EXPECT_EQ(config.gateway.http.body_bytes, 65'536u);
  EXPECT_EQ(config.max_connections, std::nullopt);
  EXPECT_EQ(config.gateway.max_message_bytes, ws::kAnySize);
  EXPECT_EQ(config.gateway.missing_workload, gateway::MissingWorkload::PlainText500);
  EXPECT_FALSE(config.gateway.compression);
  EXPECT_EQ(config.log_level, LogLevel::Info);
  EXPECT_EQ(config.log_format, LogFormat::Json);
  EXPECT_EQ(config.auth.development.state_dir, "/etc/sluice/state");
}

TEST(Config, EveryKey) {
  const auto parsed = parse_config(R"(
listen: [0.0.0.0:443, "[::1]:8443"]
tls: {certificate: cert.pem, key: /keys/key.pem}
allowPlaintext: false
basePath: /a/b
admin: {listen: localhost:9090}
auth:
  issuers:
    - issuer: https://auth.example/realms/x
      audiences: [runai, other]
      jwksFile: keys.json
      claims: {user: email, groups: roles, extras: {scopes: scope}}
  development: {enabled: false}
  leeway: 10s
  jwksRefresh: 1m
authorization:
  mode: policy
  rules:
    - {subjects: ["user:alice", "group:ml"], projects: [project1], verbs: [status, logs]}
    - {subjects: "*", projects: "*", verbs: "*"}
backend:
  kind: local
  local: {workloads: w.yaml, stateDir: /var/lib/sluice}
  kubernetes: {kubeconfig: ~/.kube/config}
sessions: {pingInterval: 50ms, idleTimeout: 1500ms, shutdownGrace: 0s, max: 7, maxPerUser: 2,
  maxBuffered: 1048576, upgradeRate: 50, upgradeBurst: 60, upgradeRatePerUser: 5,
  upgradeBurstPerUser: 6}
http: {maxHeaderSize: 8192, maxBodySize: 0}
compat: {missingWorkload: 404}
log: {level: debug, format: text}
websocket: {compression: true, maxMessageSize: 1048576}
threads: 2
)",
                                   "/etc/sluice/s.yaml");
  ASSERT_TRUE(parsed) << parsed.error().message;
  const Config& config = *parsed;
  EXPECT_EQ(config.listen, (std::vector<net::ListenAddress>{{"0.0.0.0", 443}, {"::1", 8443}}));
  EXPECT_EQ(config.tls->certificate, "/etc/sluice/cert.pem");
  EXPECT_EQ(config.tls->key, "/keys/key.pem");
  EXPECT_EQ(config.gateway.base_path, "/a/b");
  EXPECT_EQ(config.admin, (net::ListenAddress{"127.0.0.1", 9090}));
  ASSERT_EQ(config.auth.issuers.size(), 1u);
  EXPECT_EQ(config.auth.issuers[0].jwks_file, "/etc/sluice/keys.json");
  EXPECT_EQ(config.auth.issuers[0].audiences.size(), 2u);
  EXPECT_EQ(config.auth.issuers[0].claims.user, "email");
  EXPECT_EQ(config.auth.issuers[0].claims.extras,
            (std::vector<std::pair<std::string, std::string>>{{"scopes", "scope"}}));
  EXPECT_EQ(config.auth.leeway, seconds(10));
  EXPECT_EQ(config.auth.jwks_refresh, seconds(60));
  EXPECT_EQ(config.policy->rules.size(), 2u);
  EXPECT_EQ(config.gateway.ping_interval, milliseconds(50));
  EXPECT_EQ(config.gateway.idle_timeout, milliseconds(1500));
  EXPECT_EQ(config.gateway.shutdown_grace, seconds(0));
  EXPECT_EQ(config.gateway.max_sessions, 7u);
  EXPECT_EQ(config.gateway.max_sessions_per_user, 2u);
  EXPECT_EQ(config.gateway.max_buffered_bytes, 1'048'576u);
  EXPECT_EQ(config.gateway.upgrade_rate.per_second, 50u);
  EXPECT_EQ(config.gateway.upgrade_rate.burst, 60u);
  EXPECT_EQ(config.gateway.upgrade_rate_per_user.per_second, 5u);
  EXPECT_EQ(config.gateway.upgrade_rate_per_user.burst, 6u);
  EXPECT_EQ(config.gateway.http.head_bytes, 8'192u);
  EXPECT_EQ(config.gateway.http.body_bytes, 0u);
  EXPECT_EQ(config.gateway.max_message_bytes, 1'048'576u);
  EXPECT_EQ(config.gateway.missing_workload, gateway::MissingWorkload::Json404);
  EXPECT_TRUE(config.gateway.compression);
  EXPECT_EQ(config.log_level, LogLevel::Debug);
  EXPECT_EQ(config.log_format, LogFormat::Text);
  EXPECT_EQ(config.threads, 2u);
}

TEST(Config, ConnectionsAreLimitedAsItSays) {
  const auto config =
      parse_config("http: {maxConnections: 500}\n" + minimal(), "/etc/sluice/s.yaml");
  EXPECT_EQ(config->max_connections, 500u);
  EXPECT_EQ(
      message_with("http: {maxConnections: 0}"),
      "/etc/sluice/s.yaml:1: http.maxConnections: expected a whole number from 1 to 10000000, "
      "got \"0\"");
}

/// 2562047h is the longest that Go knows, which is what people write for "never".
TEST(Config, DurationsHaveALongest) {
  const auto with = [](std::string_view key, std::string_view value) {
    std::string auth(kAuth), backend(kBackend), sessions;
    const std::string entry = fmt::format("{}: {}", key.substr(key.rfind('.') + 1), value);
    if (key.starts_with("auth.")) {
      auth = fmt::format("auth: {{development: {{enabled: true}}, {}}}\n", entry);
    }
    if (key.starts_with("backend.")) {
      backend = fmt::format(
          "backend: {{local: {{workloads: w, stateDir: s}}, kubernetes: {{{}}}}}\n", entry);
    }
    if (key.starts_with("sessions.")) sessions = fmt::format("sessions: {{{}}}\n", entry);
    return message_of(auth + backend + sessions + std::string(kRules).append(kListen));
  };
  for (const std::string_view key :
       {"auth.jwksRefresh", "auth.leeway", "backend.kubernetes.pingInterval",
        "sessions.idleTimeout", "sessions.pingInterval", "sessions.shutdownGrace",
        "sessions.upgradeGrace"}) {
    EXPECT_EQ(with(key, "87600h"), "no error") << key;
    for (const std::string_view value : {"87600h1ns", "2562047h", "9999999h"}) {
      const std::string expected = fmt::format(
          ": {}: expected a duration such as 30s, at most 87600h, got \"{}\"", key, value);
      EXPECT_TRUE(with(key, value).ends_with(expected)) << with(key, value);
    }
  }
}

TEST(Config, ErrorsNameFileLineKeyAndWhatIsRight) {
  const std::pair<const char*, const char*> cases[] = {
      {"basePth: /x", "/etc/sluice/s.yaml:1: basePth: unknown key, did you mean basePath?"},
      {"sessions: {pingIntervall: 1s}",
       "/etc/sluice/s.yaml:1: sessions.pingIntervall: unknown key, did you mean pingInterval?"},
      {"sessions:\n  pingInterval: soon",
       "/etc/sluice/s.yaml:2: sessions.pingInterval: expected a duration such as 30s, at most "
       "87600h, got \"soon\""},
      {"sessions: {pingInterval: 0s}",
       "/etc/sluice/s.yaml:1: sessions.pingInterval: expected at least 1ms"},
      {"sessions: {max: 0}",
       "/etc/sluice/s.yaml:1: sessions.max: expected a whole number from 1 to 10000000, got \"0\""},
      {"sessions: {upgradeRatePerUser: 0}",
       "/etc/sluice/s.yaml:1: sessions.upgradeRatePerUser: expected a whole number from 1 to "
       "10000000, got \"0\""},
      {"http: {maxHeaderSize: 10}",
       "/etc/sluice/s.yaml:1: http.maxHeaderSize: expected a whole number from 1024 to 67108864, "
       "got \"10\""},
      {"basePath: cluster-api/",
       "/etc/sluice/s.yaml:1: basePath: expected a path such as /cluster-api, with a slash at the "
       "beginning and none at the end, got \"cluster-api/\""},
      {"compat: {missingWorkload: 403}",
       "/etc/sluice/s.yaml:1: compat.missingWorkload: expected one of 500, 404; got \"403\""},
      {"log: {level: loud}",
       "/etc/sluice/s.yaml:1: log.level: expected one of debug, info, warning, error; got "
       "\"loud\""},
      {"tls: {certificate: c.pem}", "/etc/sluice/s.yaml:1: tls: missing key key"},
      {"tls: {certifcate: c.pem, key: k.pem}",
       "/etc/sluice/s.yaml:1: tls.certifcate: unknown key, did you mean certificate?"},
      {"admin: {listen: 9090}",
       "/etc/sluice/s.yaml:1: admin.listen: \"9090\" is no listen address: expected HOST:PORT such "
       "as "
       "127.0.0.1:8080, [::1]:8080 or :8080"},
      {"allowPlaintext: maybe",
       "/etc/sluice/s.yaml:1: allowPlaintext: expected true or false, got \"maybe\""},
      {"threads: 0",
       "/etc/sluice/s.yaml:1: threads: expected a whole number from 1 to 256, got \"0\""},
      {"log: json", "/etc/sluice/s.yaml:1: log: expected a mapping, got \"json\""},
      {"log: {}\nlog: {}", "/etc/sluice/s.yaml:2: log: given twice"},
  };
  for (const auto& [lines, message] : cases) EXPECT_EQ(message_with(lines), message) << lines;
}

TEST(Config, ARateAloneHasABurstOfTwiceAsMany) {
  const auto config = parse_config(
      "sessions: {upgradeRate: 100, upgradeRatePerUser: 3}\n" + minimal(), "/etc/sluice/s.yaml");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->gateway.upgrade_rate.burst, 200u);
  EXPECT_EQ(config->gateway.upgrade_rate_per_user.burst, 6u);
}

TEST(Config, MissingSectionsAreNamed) {
  EXPECT_EQ(message_of(""), "/etc/sluice/s.yaml:1: missing key listen");
  EXPECT_EQ(message_of(kListen), "/etc/sluice/s.yaml:1: missing key auth");
  EXPECT_EQ(message_of("# x\n" + std::string(kListen).append(kAuth).append(kRules)),
            "/etc/sluice/s.yaml:2: missing key backend");
}

std::string with_listen(std::string_view listen) {
  return std::string(listen).append("\n").append(kRules).append(kBackend);
}

TEST(Config, PlaintextBeyondThisMachineMustBeMeant) {
  const std::string issuer = "auth: {issuers: [{issuer: \"https://a\"}]}\n";
  EXPECT_TRUE(message_of(issuer + with_listen("listen: 0.0.0.0:80"))
                  .starts_with("/etc/sluice/s.yaml:2: listen: 0.0.0.0:80 can be reached from other "
                               "machines, and without tls"));
  EXPECT_EQ(message_of(issuer + with_listen("listen: 0.0.0.0:80\nallowPlaintext: true")),
            "no error");
  EXPECT_EQ(message_of(issuer + with_listen("listen: 0.0.0.0:80\ntls: {certificate: c, key: k}")),
            "no error");
  EXPECT_EQ(message_of(issuer + with_listen("listen: [\"[::1]:80\", 127.1.2.3:80]")), "no error");
}

TEST(Config, DevelopmentIssuerStaysOnLoopback) {
  EXPECT_TRUE(
      message_of(std::string(kAuth) +
                 with_listen("listen: [127.0.0.1:1, 10.0.0.1:80]\nallowPlaintext: true"))
          .starts_with("/etc/sluice/s.yaml:1: auth.development: refused unless every listener "
                       "is on loopback, and 10.0.0.1:80 is not"));
}

TEST(Config, AuthNeedsAnIssuer) {
  EXPECT_TRUE(message_of("auth: {}\n" + with_listen("listen: 127.0.0.1:0"))
                  .starts_with("/etc/sluice/s.yaml:1: auth: no issuer"));
}

TEST(Config, ModesOfOtherBackendsAreRefusedWithTheReason) {
  const std::string rest = std::string(kListen).append(kAuth).append(kBackend);
  EXPECT_EQ(message_of("authorization: {mode: impersonate}\n" + rest),
            "/etc/sluice/s.yaml:1: authorization.mode: impersonate asks a Kubernetes cluster, and "
            "backend.kind is local; use policy with rules");
  EXPECT_EQ(message_of("authorization: {mode: none}\n" + rest),
            "/etc/sluice/s.yaml:1: authorization.mode: expected one of policy, impersonate, "
            "subject-access-review; got \"none\"");
}

using backend::kubernetes::ActingAs;
using backend::kubernetes::KubernetesConfig;

constexpr std::string_view kIssuer = "auth: {issuers: [{issuer: \"https://a\"}]}\n";

Config kubernetes_config(std::string_view authorization, std::string_view backend) {
  const std::string text = std::string(kListen).append(kIssuer).append(authorization);
  const auto config = parse_config(text + "\n" + std::string(backend), "/etc/sluice/s.yaml");
  EXPECT_TRUE(config) << config.error().message;
  return config.value_or(Config{});
}

TEST(Config, AClusterIsReachedAsItsKubeconfigsSay) {
  const Config config = kubernetes_config("authorization: {}",
                                          "backend:\n"
                                          "  kind: kubernetes\n"
                                          "  kubernetes:\n"
                                          "    kubeconfig: [a.yaml, /b.yaml]\n"
                                          "    context: test\n"
                                          "    mapping: maps/own.yaml\n"
                                          "    pingInterval: 5s\n");
  const auto& kubernetes = std::get<KubernetesConfig>(config.backend);
  EXPECT_EQ(kubernetes.kubeconfigs, (std::vector<std::string>{"/etc/sluice/a.yaml", "/b.yaml"}));
  EXPECT_EQ(kubernetes.context, "test");
  EXPECT_EQ(kubernetes.mapping, "/etc/sluice/maps/own.yaml");
  EXPECT_EQ(kubernetes.ping_interval, seconds(5));
}

TEST(Config, APresetOfTheMappingIsAName) {
  const Config config = kubernetes_config(
      "authorization: {}", "backend: {kind: kubernetes, kubernetes: {mapping: kubernetes}}");
  EXPECT_EQ(std::get<KubernetesConfig>(config.backend).mapping, "kubernetes");
}

TEST(Config, TheClusterDecidesWhatCallersMayDoUnlessAPolicyDoes) {
  constexpr std::string_view kCluster = "backend: {kind: kubernetes}";
  const auto acting_as = [&](std::string_view authorization) {
    const Config config = kubernetes_config(authorization, kCluster);
    return std::pair(std::get<KubernetesConfig>(config.backend).acting_as,
                     config.policy.has_value());
  };
  EXPECT_EQ(acting_as("authorization: {}"), std::pair(ActingAs::Caller, false));
  EXPECT_EQ(acting_as("authorization: {mode: impersonate}"), std::pair(ActingAs::Caller, false));
  EXPECT_EQ(acting_as("authorization: {mode: subject-access-review}"),
            std::pair(ActingAs::Gateway, false));
  EXPECT_EQ(acting_as("authorization: {mode: policy, rules: []}"),
            std::pair(ActingAs::Gateway, true));
}

TEST(Config, RulesGoWithModePolicyOnly) {
  const std::string rest =
      std::string(kListen).append(kIssuer).append("backend: {kind: kubernetes}\n");
  EXPECT_EQ(message_of("authorization: {mode: impersonate, rules: []}\n" + rest),
            "/etc/sluice/s.yaml:1: authorization.rules: the cluster's RBAC decides in mode "
            "impersonate: rules are for mode policy");
}

TEST(Config, TheDevelopmentIssuerNeedsAPlaceForItsKeyBesideACluster) {
  const std::string rest = std::string(kListen).append(kAuth).append("authorization: {}\n");
  EXPECT_EQ(message_of("backend: {kind: kubernetes}\n" + rest),
            "/etc/sluice/s.yaml:3: auth.development: needs backend.kubernetes.stateDir, where its "
            "key is kept");
  EXPECT_EQ(message_of("backend: {kind: kubernetes, kubernetes: {stateDir: s}}\n" + rest),
            "no error");
}

TEST(Config, EveryKeyOfRecordings) {
  constexpr std::string_view kRecording = R"(
recording:
  folder: casts
  rules: [{subjects: "*", projects: "*", verbs: [exec, attach]}]
  input: true
  maxLag: 250ms
  maxSize: 5000
  onFailure: refuse
)";
  const auto parsed = parse_config(std::string(kRecording) + minimal(), "/etc/sluice/s.yaml");
  ASSERT_TRUE(parsed) << parsed.error().message;
  const Config& config = *parsed;
  EXPECT_EQ(config.recording->folder, "/etc/sluice/casts");
  EXPECT_EQ(config.recording->rules.rules[0].verbs, (std::vector<std::string>{"exec", "attach"}));
  EXPECT_TRUE(config.recording->options.input);
  EXPECT_EQ(config.recording->options.max_lag, milliseconds(250));
  EXPECT_EQ(config.recording->options.max_bytes, 5000u);
  EXPECT_EQ(config.recording->options.on_failure, recording::OnFailure::Refuse);
}

TEST(Config, OnlySessionsOfExecAndAttachAreRecorded) {
  const std::string rest = "{folder: f, rules: [{subjects: '*', projects: p, verbs: logs}]}";
  EXPECT_EQ(message_with("recording: " + rest),
            "/etc/sluice/s.yaml:1: recording.rules: sessions of logs are not recorded; expected "
            "exec, attach or *");
  EXPECT_EQ(message_with("recording: {folder: f}"),
            "/etc/sluice/s.yaml:1: recording: missing key rules");
  EXPECT_EQ(message_with("recording: {folder: f, rules: [], maxLag: 2m}"),
            "/etc/sluice/s.yaml:1: recording.maxLag: expected 1ms to 1m");
}

TEST(Config, UnknownBackendsAreRefused) {
  const std::string rest = std::string(kListen).append(kAuth).append(kRules);
  EXPECT_EQ(
      message_of("backend: {kind: docker}\n" + rest),
      "/etc/sluice/s.yaml:1: backend.kind: expected one of local, kubernetes; got \"docker\"");
}

TEST(Config, FilesThatCannotBeReadAreNamedAtTheirKey) {
  const Config config = *parse_config(minimal(), "/nonexistent/s.yaml");
  EXPECT_EQ(
      check_named_files(config).error().message,
      "/nonexistent/s.yaml:4: backend.local.workloads: cannot be read: /nonexistent/w.yaml: No "
      "such file or directory");
}

TEST(Config, WhatIsWrongInRulesAndIssuersIsNamed) {
  const std::string rest = std::string(kListen).append(kBackend);
  EXPECT_TRUE(message_of("authorization:\n  rules:\n  - {subjects: [alice], projects: [p], verbs: "
                         "[logs]}\n" +
                         rest + std::string(kAuth))
                  .starts_with("/etc/sluice/s.yaml:3: authorization.rules[0].subjects[0]: "));
  EXPECT_TRUE(message_of("auth:\n  issuers:\n  - {issuer: x, jwksFile: a, jwksUri: b}\n" + rest +
                         std::string(kRules))
                  .starts_with("/etc/sluice/s.yaml:3: auth.issuers[0].jwksUri: "));
}

}  // namespace
}  // namespace sluice::sluiced
