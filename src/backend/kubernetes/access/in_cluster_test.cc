#include "backend/kubernetes/access/in_cluster.h"

#include <gmock/gmock.h>

namespace sluice::backend::kubernetes {
namespace {

using ::testing::ElementsAre;

TEST(InCluster, ServiceAccountsFilesSayWhoWeAre) {
  const auto config = in_cluster_config("10.96.0.1", "443");
  ASSERT_TRUE(config);
  EXPECT_THAT(config->servers, ElementsAre("https://10.96.0.1:443"));
  EXPECT_EQ(config->token_file, "/var/run/secrets/kubernetes.io/serviceaccount/token");
  EXPECT_EQ(config->authorities.file, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt");
}

TEST(InCluster, AddressOfVersion6StandsInBrackets) {
  EXPECT_THAT(in_cluster_config("fd00::1", "443")->servers, ElementsAre("https://[fd00::1]:443"));
}

TEST(InCluster, OutsideOfAPodIsSaid) {
  EXPECT_FALSE(in_cluster_config("", ""));
  EXPECT_FALSE(in_cluster_config("10.96.0.1", "0"));
  EXPECT_NE(in_cluster_config("", "").error().message.find("kubeconfig"), std::string::npos);
}

}  // namespace
}  // namespace sluice::backend::kubernetes
