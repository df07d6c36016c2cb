#include "auth/bearer_token.h"

#include <initializer_list>
#include <vector>

#include <gtest/gtest.h>

#include "base/base64.h"

namespace sluice::auth {
namespace {

using Values = std::vector<std::string_view>;

Accepted<std::string> from(Values authorization, Values subprotocols = {}) {
  return bearer_token(authorization, subprotocols);
}

TEST(BearerToken, SchemeIsCaseInsensitive) {
  for (const char* value : {"Bearer a.b-c_d~+/=", "bearer a.b-c_d~+/=", "BEARER   a.b-c_d~+/= "}) {
    EXPECT_EQ(from({value}), "a.b-c_d~+/=") << value;
  }
}

TEST(BearerToken, OtherFormsAreRefused) {
  for (const char* value :
       {"", "Bearer", "Bearer ", "Basic YTpi", "Bearera.b.c", "Bearer a b", "Bearer a,b",
        "Bearer =", "Bearer a=b", "Bearer \"a\"", "Bearer a\tb", "a.b.c", "Bearer\ta.b.c",
        "Bearer \xc3\xa4", "Token a.b.c", "Bearer a; b"}) {
    const auto token = from({value});
    ASSERT_FALSE(token) << value;
    EXPECT_EQ(token.error().code, ErrorCode::Unauthenticated);
    EXPECT_EQ(token.error().message, "Authorization is not of the form Bearer TOKEN");
    EXPECT_EQ(token.error().reason, AuthenticationFailure::Malformed);
  }
}

TEST(BearerToken, MissingSaysWhatToSend) {
  EXPECT_EQ(from({}).error().message, "no bearer token: send Authorization: Bearer TOKEN");
  EXPECT_EQ(from({}).error().reason, AuthenticationFailure::MissingToken);
}

TEST(BearerToken, TwoAuthorizationFieldsAreRefused) {
  EXPECT_EQ(from({"Bearer a", "Bearer a"}).error().message, "Authorization given more than once");
}

TEST(BearerToken, SubprotocolCarriesItInBase64url) {
  const std::string offer =
      std::string(kBearerSubprotocolPrefix) + base64url_encode(as_bytes("a.b.c"));
  EXPECT_EQ(from({}, {offer}), "a.b.c");
  EXPECT_EQ(from({}, {"v5.channel.k8s.io , " + offer + ",binary.k8s.io"}), "a.b.c");
  EXPECT_EQ(from({}, {"v5.channel.k8s.io", offer}), "a.b.c");
}

TEST(BearerToken, SubprotocolThatHoldsNoTokenIsRefused) {
  for (const char* rest : {"", "YS5i=", "YS5+", "!", "AAAA", "YQ YQ"}) {
    EXPECT_FALSE(from({}, {std::string(kBearerSubprotocolPrefix) + rest})) << rest;
  }
}

TEST(BearerToken, TwoWaysOrTwoSubprotocolsAreRefused) {
  const std::string offer = std::string(kBearerSubprotocolPrefix) + "YS5iLmM";
  EXPECT_FALSE(from({"Bearer a.b.c"}, {offer}));
  EXPECT_FALSE(from({}, {offer, offer}));
  EXPECT_FALSE(from({}, {offer + ", " + offer}));
}

TEST(BearerToken, OtherSubprotocolsAreNoToken) {
  EXPECT_FALSE(from({}, {"v5.channel.k8s.io", ",,", "base64url.bearer.authorization.k8s.io"}));
}

}  // namespace
}  // namespace sluice::auth
