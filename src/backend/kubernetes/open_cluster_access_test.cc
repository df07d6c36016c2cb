#include "backend/kubernetes/open_cluster_access.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "backend/kubernetes/access/in_cluster.h"
#include "base/file.h"
#include "testing/test_loop.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::HasSubstr;

class OpenClusterAccessTest : public ::testing::Test {
 protected:
  OpenClusterAccessTest()
      : kubeconfig_((std::filesystem::temp_directory_path() /
                     ("sluice-open-cluster-access-" + std::to_string(::getpid())))
                        .string()) {}
  ~OpenClusterAccessTest() override { std::filesystem::remove(kubeconfig_); }

  /// Two contexts, of a user each.
  void write_kubeconfig(const std::string& first_user = "token: one") {
    const std::string text =
        "current-context: a\n"
        "contexts:\n- {name: a, context: {cluster: k, user: one}}\n"
        "- {name: b, context: {cluster: k, user: two}}\n"
        "clusters: [{name: k, cluster: {server: 'http://127.0.0.1:1'}}]\n"
        "users:\n- {name: one, user: {" +
        first_user + "}}\n- {name: two, user: {token: two}}\n";
    ASSERT_TRUE(write_file_atomically(kubeconfig_, text, 0600));
  }
  std::optional<std::string> authorization(const KubernetesConfig& config) {
    const auto access = open_cluster_access(config, timers_);
    if (!access) return access.error().message;
    return testing::run(loop_, (*access)->authorization()).value();
  }

  std::string kubeconfig_;
  net::EventLoop loop_;
  net::SystemTimers timers_;
};

TEST_F(OpenClusterAccessTest, KubeconfigAndItsContextSayWhoWeAre) {
  write_kubeconfig();
  EXPECT_EQ(authorization({.kubeconfigs = {kubeconfig_}}), "Bearer one");
  EXPECT_EQ(authorization({.kubeconfigs = {kubeconfig_}, .context = "b"}), "Bearer two");
}

TEST_F(OpenClusterAccessTest, WithoutAKubeconfigItIsThePodsOwnAccount) {
  EXPECT_THAT(open_cluster_access({}, timers_).error().message, HasSubstr("this is no pod"));
  const KubernetesConfig in_pod{.service_host = "127.0.0.1", .service_port = "1"};
  // Where this test runs in a pod, the account's files are there.
  const bool is_pod = std::filesystem::exists(std::string(kServiceAccountFolder) + "/token");
  EXPECT_EQ(open_cluster_access(in_pod, timers_).has_value(), is_pod);
}

TEST_F(OpenClusterAccessTest, FileThatIsMissingIsNamed) {
  write_kubeconfig("tokenFile: /no/such/token");
  const auto without_token = open_cluster_access({.kubeconfigs = {kubeconfig_}}, timers_);
  ASSERT_FALSE(without_token);
  EXPECT_THAT(without_token.error().cause, HasSubstr("/no/such/token"));
  const auto without_file = open_cluster_access({.kubeconfigs = {"/no/such/kubeconfig"}}, timers_);
  ASSERT_FALSE(without_file);
  EXPECT_THAT(without_file.error().message, HasSubstr("/no/such/kubeconfig"));
}

TEST_F(OpenClusterAccessTest, PluginIsNotRunYet) {
  write_kubeconfig(
      "exec: {apiVersion: client.authentication.k8s.io/v1, command: sluice-no-such-plugin}");
  EXPECT_TRUE(open_cluster_access({.kubeconfigs = {kubeconfig_}}, timers_));
}

}  // namespace
}  // namespace sluice::backend::kubernetes
