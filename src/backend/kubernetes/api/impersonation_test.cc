#include "backend/kubernetes/api/impersonation.h"

#include <gmock/gmock.h>

namespace sluice::backend::kubernetes {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> lines(const http::FieldMap& fields) {
  std::vector<std::string> all;
  for (const http::Field& field : fields) all.push_back(field.name + ": " + field.value);
  return all;
}

TEST(Impersonation, EachPartHasItsField) {
  http::FieldMap fields;
  const Impersonation as{.user = "jane@example.com",
                         .uid = "7",
                         .groups = {"a", "b c"},
                         .extras = {{"Scopes", "x"}, {"scopes", "y"}, {"acme.com/é%", "z"}}};
  ASSERT_TRUE(add_impersonation(fields, as));
  EXPECT_THAT(
      lines(fields),
      ElementsAre("Impersonate-User: jane@example.com", "Impersonate-Uid: 7",
                  "Impersonate-Group: a", "Impersonate-Group: b c", "Impersonate-Extra-scopes: x",
                  "Impersonate-Extra-scopes: y", "Impersonate-Extra-acme.com%2f%c3%a9%25: z"));
}

TEST(Impersonation, ValueThatWouldArriveAsAnotherIsRefused) {
  for (const std::string bad :
       {"", " admin", "admin ", "a\nb", "a\r\nImpersonate-Group: x", "a\tb", "a\x7F"}) {
    http::FieldMap fields;
    EXPECT_FALSE(add_impersonation(fields, {.user = bad})) << bad;
    EXPECT_FALSE(add_impersonation(fields, {.user = "u", .groups = {bad}})) << bad;
    EXPECT_FALSE(add_impersonation(fields, {.user = "u", .extras = {{"k", bad}}})) << bad;
  }
}

}  // namespace
}  // namespace sluice::backend::kubernetes
