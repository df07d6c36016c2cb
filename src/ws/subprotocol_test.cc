#include "ws/subprotocol.h"

#include <array>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace sluice::ws
