#include "ws/subprotocol.h"

#include <array>

#include <gtest/gtest.h>

#include "base/base64.h"

namespace sluice::ws {
namespace {

constexpr std::array<std::string_view, 3> kKnown = {"v5.channel.k8s.io", "v4.channel.k8s.io",
                                                    "binary.k8s.io"};

TEST(ChooseSubprotocol, TakesTheFirstKnownOneInTheClientsOrder) {
  EXPECT_EQ(choose_subprotocol({"x, v4.channel.k8s.io", "v5.channel.k8s.io"}, kKnown).value(),
            "v4.channel.k8s.io");
}

TEST(ChooseSubprotocol, NoneOfferedIsNone) {
  EXPECT_EQ(choose_subprotocol({}, kKnown).value(), "");
}

TEST(ChooseSubprotocol, OnlyUnknownOnesIsAnErrorThatNamesTheKnown) {
  for (const FieldValues& offered :
       {FieldValues{"chat, soap"}, FieldValues{"base64url.bearer.authorization.k8s.io.YWJj"},
        FieldValues{""}}) {
    const auto chosen = choose_subprotocol(offered, kKnown);
    ASSERT_FALSE(chosen);
    EXPECT_EQ(chosen.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(chosen.error().message.find("v5.channel.k8s.io, v4.channel.k8s.io, binary.k8s.io"),
              std::string::npos);
  }
}

TEST(BearerToken, IsDecodedWithOrWithoutPadding) {
  EXPECT_EQ(bearer_token({"a, base64url.bearer.authorization.k8s.io.aGk, b"}).value(), "hi");
  EXPECT_EQ(bearer_token({"base64url.bearer.authorization.k8s.io.aGk="}).value(), "hi");
  EXPECT_EQ(bearer_token({"a, b"}).value(), std::nullopt);
  EXPECT_EQ(bearer_token({}).value(), std::nullopt);
}

TEST(BearerToken, TwiceEmptyOrNotBase64urlIsUnauthenticated) {
  for (const FieldValues& offered : {FieldValues{"base64url.bearer.authorization.k8s.io.aGk, "
                                                 "base64url.bearer.authorization.k8s.io.aGk"},
                                     FieldValues{"base64url.bearer.authorization.k8s.io."},
                                     FieldValues{"base64url.bearer.authorization.k8s.io.a+/k"},
                                     FieldValues{"base64url.bearer.authorization.k8s.io.===="},
                                     FieldValues{"base64url.bearer.authorization.k8s.io.aGk=="}}) {
    const auto token = bearer_token(offered);
    ASSERT_FALSE(token) << offered.front();
    EXPECT_EQ(token.error().code, ErrorCode::Unauthenticated);
  }
}

}  // namespace
}  // namespace sluice::ws
