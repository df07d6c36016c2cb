#include "cli/port/port_forward.h"

#include <gmock/gmock.h>

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;

TEST(PortMapping, OneTwoOrAnyLocalPort) {
  EXPECT_EQ(*parse_port_mapping("80"), (PortMapping{80, 80}));
  EXPECT_EQ(*parse_port_mapping("8080:80"), (PortMapping{8080, 80}));
  EXPECT_EQ(*parse_port_mapping(":80"), (PortMapping{0, 80}));
}

TEST(PortMapping, BadPortsAreNamed) {
  for (const char* text : {"", ":", "0", "65536", "80:", "a:80", "80:b", "1:2:3", "-1"}) {
    const auto mapping = parse_port_mapping(text);
    ASSERT_FALSE(mapping) << text;
    EXPECT_THAT(mapping.error().message, HasSubstr("expected 1 to 65535"));
  }
}

}  // namespace
}  // namespace sluice::cli
