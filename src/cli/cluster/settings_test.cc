#include "cli/cluster/settings.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "cli/cluster/fake_environment.h"
#include "testing/temporary_folder.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;

class SettingsTest : public ::testing::Test {
 protected:
  SettingsTest() { options_.config_file = folder_ / "config.yaml"; }
  void configure(std::string_view text) {
    ASSERT_TRUE(write_file_atomically(options_.config_file, text, 0600));
  }
  Settings resolve(std::map<std::string, std::string> variables = {}) {
    const auto settings = resolve_settings(options_, FakeEnvironment(std::move(variables)));
    EXPECT_TRUE(settings) << settings.error().message;
    return settings.value_or(Settings());
  }
  std::string problem(std::map<std::string, std::string> variables = {}) {
    const auto settings = resolve_settings(options_, FakeEnvironment(std::move(variables)));
    return settings ? "none" : settings.error().message;
  }

  testing::TemporaryFolder folder_;
  GlobalOptions options_;
};

constexpr std::string_view kTwo =
    "current: a\n"
    "clusters:\n"
    "  a: {server: 'https://a.example', project: pa}\n"
    "  b: {server: 'http://b.example:8080/base/', project: pb, tokenFile: tb}\n";

TEST_F(SettingsTest, CommandLineBeatsEnvironmentBeatsConfiguration) {
  configure(kTwo);
  EXPECT_EQ(resolve().project, "pa");
  EXPECT_EQ(resolve({{"SLUICE_PROJECT", "env"}}).project, "env");
  options_.project = "flag";
  EXPECT_EQ(resolve({{"SLUICE_PROJECT", "env"}}).project, "flag");
}

TEST_F(SettingsTest, ClusterIsTheCurrentOrTheNamedOne) {
  configure(kTwo);
  EXPECT_EQ(resolve().server.authority, "a.example");
  EXPECT_EQ(resolve({{"SLUICE_CLUSTER", "b"}}).server.authority, "b.example:8080");
  options_.cluster = "c";
  EXPECT_THAT(problem(), HasSubstr("no cluster \"c\""));
  EXPECT_THAT(problem(), HasSubstr("a, b"));
}

TEST_F(SettingsTest, BasePathHasNoSlashAtItsEndAndADefault) {
  configure(kTwo);
  EXPECT_EQ(resolve().server.target, "/cluster-api");
  options_.cluster = "b";
  EXPECT_EQ(resolve().server.target, "/base");
}

TEST_F(SettingsTest, ServerByItsUrlHasNothingOfTheConfiguration) {
  configure(kTwo);
  options_.server = "https://c.example";
  EXPECT_EQ(resolve().project, "");
  EXPECT_EQ(resolve().cluster, "");
}

TEST_F(SettingsTest, ServerByItsUrlIsTheClusterThatHasIt) {
  configure(kTwo);
  options_.server = "https://a.example/cluster-api/";
  EXPECT_EQ(resolve().cluster, "a");
  EXPECT_EQ(resolve().project, "pa");
}

TEST_F(SettingsTest, ServerByItsUrlMayHaveANameThatIsYetToBeConfigured) {
  options_.server = "https://c.example";
  options_.cluster = "c";
  EXPECT_EQ(resolve().cluster, "c");
}

TEST_F(SettingsTest, TokenFileOfTheCommandLineBeatsTheEnvironmentsToken) {
  configure(kTwo);
  EXPECT_EQ(resolve({{"SLUICE_TOKEN", "t"}}).token, "t");
  options_.token_file = "f";
  EXPECT_EQ(resolve({{"SLUICE_TOKEN", "t"}}).token, "");
  EXPECT_EQ(resolve().token_file, "f");
}

TEST_F(SettingsTest, SaysWhatToSetWhereNothingIs) {
  EXPECT_THAT(problem(), HasSubstr("SLUICE_SERVER"));
  options_.server = "lab.example";
  EXPECT_THAT(problem(), HasSubstr("lab.example"));
}

}  // namespace
}  // namespace sluice::cli
