#include "http/url.h"

#include <gmock/gmock.h>

namespace sluice::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string problem_of(const std::string& text) {
  const Result<Url> url = parse_url(text);
  return url ? "none" : url.error().message;
}

TEST(Url, PortIsThatOfTheSchemeUnlessItIsSaid) {
  EXPECT_EQ(parse_url("http://h")->port, 80);
  EXPECT_EQ(parse_url("https://h/path")->port, 443);
  EXPECT_EQ(parse_url("https://h:")->port, 443);
  EXPECT_EQ(parse_url("http://h:65535")->port, 65535);
  EXPECT_EQ(parse_url("http://[::1]:81/a:b")->port, 81);
  EXPECT_EQ(parse_url("http://[::1]")->port, 80);
}

TEST(Url, PortThatIsNoneIsRefused) {
  for (const char* port :
       {"0", "65536", "99999", "4294967376", "99999999999999999999", "port", "8o"}) {
    EXPECT_THAT(problem_of(std::string("http://127.0.0.1:") + port),
                HasSubstr("port must be 1 to 65535"));
  }
}

TEST(Url, UserAndPasswordAreRefusedAndNotRepeated) {
  for (const char* text : {"http://user:secret@h", "http://user:secret@h:port", "user:secret@h",
                           "ftp://user:secret@h", "http://user:se@cret@h", "http://u:secret@h:0"}) {
    EXPECT_THAT(problem_of(text), Not(HasSubstr("cret"))) << text;
    EXPECT_NE(problem_of(text), "none") << text;
  }
  EXPECT_THAT(problem_of("http://user:secret@h"), HasSubstr("must have no user and password"));
}

}  // namespace
}  // namespace sluice::http
