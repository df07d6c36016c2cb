#include "cli/cluster/config.h"

#include <gmock/gmock.h>

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kText =
    "current: lab\n"
    "clusters:\n"
    "  lab:\n"
    "    server: https://lab.example/cluster-api\n"
    "    project: vision\n"
    "    insecureSkipTlsVerify: true\n"
    "  home: {}\n";

TEST(CliConfig, ReadsWhatItWrites) {
  const Config config = *parse_config(kText, "c.yaml");
  EXPECT_EQ(config.current, "lab");
  EXPECT_EQ(config.clusters.at("lab").project, "vision");
  EXPECT_TRUE(config.clusters.at("lab").insecure);
  EXPECT_EQ(*parse_config(format_config(config), "c.yaml"), config);
  EXPECT_EQ(*parse_config(format_config(Config()), "c.yaml"), Config());
}

TEST(CliConfig, QuotesWhatYamlWouldTakeForSomethingElse) {
  Config config;
  config.clusters["a: b"].project = "yes \"#\" {}";
  EXPECT_EQ(*parse_config(format_config(config), "c.yaml"), config);
}

TEST(CliConfig, UnknownKeyIsNamedWithItsLine) {
  const auto config = parse_config("clusters:\n  lab:\n    sever: x\n", "c.yaml");
  EXPECT_THAT(config.error().message, HasSubstr("c.yaml:3"));
  EXPECT_THAT(config.error().message, HasSubstr("server"));
}

}  // namespace
}  // namespace sluice::cli
