#include "cli/completion.h"

#include <algorithm>

#include <gmock/gmock.h>

namespace sluice::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using Kind = Completion::Kind;

class CompletionTest : public ::testing::Test {
 protected:
  Completion at(std::vector<std::string> words) { return complete(grammar_, words); }
  std::vector<std::string> words_at(std::vector<std::string> words) {
    const Completion completion = at(std::move(words));
    std::vector<std::string> found;
    for (const auto& one : completion.words) {
      if (one.word.starts_with(completion.begun)) found.push_back(one.word);
    }
    return found;
  }

  Grammar grammar_;
};

TEST_F(CompletionTest, CommandsComeFirstAndBehindTypes) {
  EXPECT_THAT(words_at({"lo"}), ElementsAre("logs", "login", "logout"));
  EXPECT_THAT(words_at({"training", "py"}), ElementsAre("pytorch"));
  EXPECT_THAT(words_at({"-p", "vision", "workspace", "ex"}), ElementsAre("exec"));
  EXPECT_THAT(words_at({"config", ""}), ElementsAre("set", "get", "list", "use"));
}

TEST_F(CompletionTest, OptionsAreThoseOfTheCommandAndOfAll) {
  EXPECT_THAT(words_at({"logs", "--"}), Contains("--follow"));
  EXPECT_THAT(words_at({"logs", "--"}), Contains("--project"));
  EXPECT_THAT(words_at({"exec", "--"}), Not(Contains("--follow")));
  EXPECT_THAT(words_at({"logs", "x", "--tim"}), ElementsAre("--timestamps"));
}

TEST_F(CompletionTest, WorkloadsAreThoseOfTheType) {
  EXPECT_EQ(at({"logs", ""}).kind, Kind::Workloads);
  EXPECT_EQ(at({"logs", "-f", "tr"}).begun, "tr");
  EXPECT_EQ(at({"logs", "tr"}).workload.type, "");
  EXPECT_EQ(at({"training", "logs", ""}).workload.framework, "runai");
  EXPECT_EQ(at({"training", "pytorch", "logs", ""}).workload.type, "distributed");
  EXPECT_EQ(at({"workload", "logs", "--type", "inference", ""}).workload.type, "inference");
}

TEST_F(CompletionTest, PodsAndContainersAreThoseOfTheWorkload) {
  const Completion pods = at({"training", "logs", "train", "--pod", "train-"});
  EXPECT_EQ(pods.kind, Kind::Pods);
  EXPECT_EQ(pods.workload.name, "train");
  const Completion containers = at({"logs", "train", "--pod=train-0", "-c", ""});
  EXPECT_EQ(containers.kind, Kind::Containers);
  EXPECT_EQ(containers.target.pod, "train-0");
}

TEST_F(CompletionTest, ValuesAreWhatTheirOptionTakes) {
  EXPECT_THAT(words_at({"list", "-o", ""}), ElementsAre("table", "json", "yaml"));
  EXPECT_THAT(words_at({"config", "get", "pro"}), ElementsAre("project"));
  EXPECT_THAT(words_at({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_EQ(at({"status", "--ca-file", ""}).kind, Kind::Files);
  EXPECT_EQ(at({"status", "--cluster", ""}).kind, Kind::Clusters);
  EXPECT_EQ(at({"config", "use", ""}).kind, Kind::Clusters);
}

TEST_F(CompletionTest, ValueMayStandBehindItsOptionInOneWord) {
  const Completion pods = at({"logs", "train", "--pod=train-"});
  EXPECT_EQ(pods.kind, Kind::Pods);
  EXPECT_EQ(pods.before, "--pod=");
  EXPECT_EQ(pods.begun, "train-");
  EXPECT_THAT(words_at({"list", "--output="}), ElementsAre("table", "json", "yaml"));
  // As bash has it, whose words end at "=".
  EXPECT_THAT(words_at({"list", "--output", "="}), ElementsAre("table", "json", "yaml"));
  EXPECT_THAT(words_at({"list", "--output", "=", "j"}), ElementsAre("json"));
}

TEST_F(CompletionTest, NoWordComesTwice) {
  std::vector<std::string> words = words_at({"logs", "--"});
  std::ranges::sort(words);
  EXPECT_EQ(std::ranges::adjacent_find(words), words.end());
}

TEST_F(CompletionTest, WhatIsCopiedIsOfAWorkloadOrAFile) {
  EXPECT_EQ(at({"cp", "no"}).kind, Kind::WorkloadsOrFiles);
  EXPECT_EQ(at({"cp", "./no"}).kind, Kind::Files);
  EXPECT_EQ(at({"cp", "file", "no"}).kind, Kind::WorkloadsOrFiles);
  EXPECT_EQ(at({"cp", "notebook:/x", "no"}).kind, Kind::Files);
}

TEST_F(CompletionTest, WordsOfACommandToRunAreItsOwn) {
  EXPECT_THAT(words_at({"exec", "train", "--", "l"}), IsEmpty());
  EXPECT_THAT(words_at({"exec", "train", "--", "-"}), IsEmpty());
  EXPECT_EQ(at({"exec", "train", "--", "l"}).kind, Kind::Words);
}

TEST_F(CompletionTest, NothingFollowsWhatIsWhole) {
  EXPECT_THAT(words_at({"describe", "train", ""}), IsEmpty());
  EXPECT_THAT(words_at({"nonsense", "x", ""}), IsEmpty());
  EXPECT_THAT(words_at({}), IsEmpty());
}

TEST_F(CompletionTest, GlobalOptionsOfTheLineCount) {
  at({"-p", "vision", "--server", "http://x", "logs", ""});
  EXPECT_EQ(grammar_.global.project, "vision");
  EXPECT_EQ(grammar_.global.server, "http://x");
}

}  // namespace
}  // namespace sluice::cli
