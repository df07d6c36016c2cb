#include "backend/kubernetes/access/configured_access.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "base/file.h"
#include "net/listener.h"
#include "net/tls_stream.h"
#include "testing/test_certificate.h"
#include "testing/test_loop.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::HasSubstr;

/// A server on this machine that speaks TLS, and the files of a configuration that leads to it.
class ConfiguredAccessTest : public ::testing::Test {
 protected:
  ConfiguredAccessTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("sluice-access-" + std::to_string(::getpid()))),
        listener_(*net::Listener::open(loop_.executor(), {"127.0.0.1", 0},
                                       net::Listener::Sharing::First)) {
    std::filesystem::create_directories(folder_);
    make_certificate();
    trust_certificate();
  }
  ~ConfiguredAccessTest() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(write_file_atomically(file(name), text, 0600));
  }
  void make_certificate() {
    certificate_ = testing::make_test_certificate();
    write("server.crt", certificate_.certificate_pem);
    write("server.key", certificate_.key_pem);
  }
  void trust_certificate() { write("ca.crt", certificate_.certificate_pem); }

  ClusterConfig config() const {
    return {.servers = {"https://" + listener_.address().to_string()},
            .authorities = {.file = file("ca.crt")}};
  }
  std::unique_ptr<ConfiguredAccess> open(ClusterConfig config) {
    return *ConfiguredAccess::open(std::move(config), timers_);
  }
  net::Task<> accept_once() {
    auto tcp = co_await listener_.accept(timers_);
    if (!tcp) co_return;
    const auto context = net::TlsContext::for_server(file("server.crt"), file("server.key"));
    (void)co_await net::accept_tls(*std::move(tcp), *context, timers_, seconds(5));
  }
  Result<ApiConnection> connect(ClusterAccess& access) { return served(access.connect()); }
  /// The server is the kubelet of the node at 127.0.0.1.
  Result<ApiConnection> connect_node(ClusterConfig config) {
    config.kubelets.port = listener_.address().port;
    const auto access = open(std::move(config));
    return served(access->connect_node("127.0.0.1"));
  }
  Result<ApiConnection> served(net::Task<Result<ApiConnection>> connecting) {
    net::TaskGroup group(loop_.executor());
    group.spawn("server", accept_once());
    Result<ApiConnection> connection = testing::run(loop_, std::move(connecting));
    group.cancel();
    testing::run_until_empty(loop_, group);
    return connection;
  }
  std::optional<std::string> authorization(ClusterAccess& access) {
    return testing::run(loop_, access.authorization()).value();
  }

  std::filesystem::path folder_;
  testing::TestCertificate certificate_;
  net::EventLoop loop_;
  net::SystemTimers timers_;
  net::Listener listener_;
};

TEST_F(ConfiguredAccessTest, TrustsTheAuthoritiesOfItsConfiguration) {
  const auto access = open(config());
  const auto connection = connect(*access);
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(connection->authority, listener_.address().to_string());
}

TEST_F(ConfiguredAccessTest, AuthoritiesThatChangeAreReadAgain) {
  const auto access = open(config());
  make_certificate();
  const auto untrusted = connect(*access);
  ASSERT_FALSE(untrusted);
  EXPECT_THAT(untrusted.error().message, HasSubstr("certificate not trusted"));
  trust_certificate();
  EXPECT_TRUE(connect(*access));
  write("ca.crt", "nonsense");  // half written, perhaps: the last ones hold
  EXPECT_TRUE(connect(*access));
}

TEST_F(ConfiguredAccessTest, CertificateIsForTheNameThatTheConfigurationSays) {
  ClusterConfig other = config();
  other.tls_server_name = "elsewhere.example";
  EXPECT_FALSE(connect(*open(other)));
  other.tls_server_name = "localhost";
  EXPECT_TRUE(connect(*open(other)));
}

TEST_F(ConfiguredAccessTest, AnyServerIsTrustedOnlyWhereThatIsAsked) {
  ClusterConfig insecure = config();
  insecure.authorities = {};
  EXPECT_FALSE(connect(*open(insecure)));
  insecure.insecure_skip_tls_verify = true;
  EXPECT_TRUE(connect(*open(insecure)));
}

TEST_F(ConfiguredAccessTest, KubeletIsReachedIfTheClustersAuthorityOrItsOwnVouchesForIt) {
  const auto connection = connect_node(config());
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(connection->authority, listener_.address().to_string());
  ClusterConfig other = config();
  write("kubelets.crt", certificate_.certificate_pem);
  make_certificate();
  trust_certificate();
  other.kubelets.authorities_file = file("kubelets.crt");
  EXPECT_FALSE(connect_node(other)) << "the named authority alone counts";
}

TEST_F(ConfiguredAccessTest, UnknownKubeletIsNeverTrusted) {
  ClusterConfig insecure = config();
  insecure.authorities = {};
  insecure.insecure_skip_tls_verify = true;
  EXPECT_TRUE(connect(*open(insecure)));
  EXPECT_FALSE(connect_node(insecure));
}

TEST_F(ConfiguredAccessTest, FilesThatAreMissingOrBrokenAreToldWhenItOpens) {
  ClusterConfig missing = config();
  missing.authorities.file = file("none");
  EXPECT_FALSE(ConfiguredAccess::open(missing, timers_));
  ClusterConfig broken = config();
  broken.client_certificate.text = broken.client_key.text = "nonsense";
  const auto access = ConfiguredAccess::open(broken, timers_);
  ASSERT_FALSE(access);
  EXPECT_THAT(access.error().cause, HasSubstr("client certificate"));
  ClusterConfig tokenless = config();
  tokenless.token_file = file("none");
  EXPECT_FALSE(ConfiguredAccess::open(tokenless, timers_));
}

TEST_F(ConfiguredAccessTest, TokenIsSentAsABearerToken) {
  ClusterConfig with_token = config();
  with_token.token = "t";
  EXPECT_EQ(authorization(*open(with_token)), "Bearer t");
  EXPECT_EQ(authorization(*open(config())), std::nullopt);
}

TEST_F(ConfiguredAccessTest, RefusedTokenIsReadAgainFromItsFile) {
  write("token", "first\n");
  ClusterConfig with_file = config();
  with_file.token_file = file("token");
  const auto access = open(with_file);
  EXPECT_EQ(authorization(*access), "Bearer first");
  write("token", "second\n");
  EXPECT_EQ(authorization(*access), "Bearer first");
  access->renew_credentials();
  EXPECT_EQ(authorization(*access), "Bearer second");
}

TEST_F(ConfiguredAccessTest, PluginGivesTheToken) {
  ClusterConfig with_plugin = config();
  with_plugin.exec = ExecPlugin{
      .api_version = "client.authentication.k8s.io/v1",
      .command = "echo",
      .arguments = {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",
                        "status":{"token":"from the plugin"}})"}};
  const auto access = open(with_plugin);
  EXPECT_EQ(authorization(*access), "Bearer from the plugin");
  EXPECT_TRUE(connect(*access));
}

TEST_F(ConfiguredAccessTest, KubeconfigIsReadFromTheFilesThatExist) {
  write("config",
        "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
        "clusters: [{name: k, cluster: {server: 'https://k'}}]\n");
  const auto read = read_kubeconfig({file("none"), file("config")}, "");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->servers.front(), "https://k");
  EXPECT_THAT(read_kubeconfig({file("none")}, "").error().message, HasSubstr("does not exist"));
}

}  // namespace
}  // namespace sluice::backend::kubernetes
