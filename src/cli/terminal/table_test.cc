#include "cli/terminal/table.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(TableTest, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({"NAME", "PHASE"});
  table.add({"über", "Running"});
  table.add({"a-long-name", ""});
  EXPECT_EQ(table.text(),
            "NAME          PHASE\n"
            "über          Running\n"
            "a-long-name\n");
}

TEST(TableTest, LinesThatComeLaterKeepTheColumns) {
  Table table({"NAME", "PHASE"});
  table.add({"train", "Running"});
  EXPECT_EQ(table.text(), "NAME    PHASE\ntrain   Running\n");
  EXPECT_EQ(table.add_line({"a", "Failed"}), "a       Failed\n");
  EXPECT_EQ(table.add_line({"longer-one", "x"}), "longer-one   x\n");
  EXPECT_EQ(table.add_line({"a", "x"}), "a            x\n");
}

TEST(TableTest, ARowIsALineWhateverItsCellsHave) {
  Table table({"NAME", "MESSAGE"});
  table.add({"a", "x\ny\x1b[31m"});
  EXPECT_EQ(table.text(), "NAME   MESSAGE\na      x\\ny\\x1b[31m\n");
  EXPECT_EQ(table.add_line({"b\r", "z\n"}), "b\\r    z\\n\n");
}

}  // namespace
}  // namespace sluice::cli
