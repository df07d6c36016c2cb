#include "ws/handshake.h"

#include <array>

#include <gtest/gtest.h>

#include "testing/seeded_random.h"

namespace sluice::ws {
namespace {

// RFC 6455 1.3.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

UpgradeRequest good_request() {
  return {.upgrade = {"websocket"}, .connection = {"Upgrade"}, .version = {"13"}, .key = {kKey}};
}

UpgradeResponse good_response() {
  return {.status = 101, .upgrade = {"WebSocket"}, .connection = {"upgrade"}, .accept = {kAccept}};
}

ErrorCode refusal(const UpgradeRequest& request) {
  const auto accepted = accept_upgrade(request);
  return accepted ? ErrorCode::Internal : accepted.error().code;
}

TEST(AcceptUpgrade, AnswersTheKeyOfTheRfc) {
  EXPECT_EQ(accept_upgrade(good_request()).value(), kAccept);
}

TEST(AcceptUpgrade, FindsTokensInListsAndInAnyCase) {
  UpgradeRequest request = good_request();
  request.connection = {"keep-alive", "x, UPGRADE"};
  request.upgrade = {"h2c, WebSocket"};
  EXPECT_TRUE(accept_upgrade(request));
}

TEST(AcceptUpgrade, WithoutUpgradeIsUpgradeRequired) {
  UpgradeRequest request = good_request();
  request.upgrade.clear();
  EXPECT_EQ(refusal(request), ErrorCode::UpgradeRequired);
  request = good_request();
  request.connection = {"keep-alive"};
  EXPECT_EQ(refusal(request), ErrorCode::UpgradeRequired);
}

TEST(AcceptUpgrade, AnotherVersionIsUpgradeRequired) {
  for (const FieldValues& version : {FieldValues{}, FieldValues{"8"}, FieldValues{"13", "13"}}) {
    UpgradeRequest request = good_request();
    request.version = version;
    EXPECT_EQ(refusal(request), ErrorCode::UpgradeRequired);
  }
}

TEST(AcceptUpgrade, AKeyThatIsNot16BytesOfBase64IsInvalid) {
  for (const FieldValues& key :
       {FieldValues{}, FieldValues{""}, FieldValues{"dGhlIHNhbXBsZSBub25jZQ"}, FieldValues{"AAAA"},
        FieldValues{"not base64 at all!!!!!!=="}, FieldValues{kKey, kKey}}) {
    UpgradeRequest request = good_request();
    request.key = key;
    EXPECT_EQ(refusal(request), ErrorCode::InvalidArgument);
  }
}

TEST(CheckUpgrade, TakesARightAnswerAndItsSubprotocol) {
  constexpr std::array<std::string_view, 2> offered = {"a", "b"};
  UpgradeResponse response = good_response();
  EXPECT_EQ(check_upgrade(response, kKey, offered).value(), "");
  response.protocol = {"b"};
  EXPECT_EQ(check_upgrade(response, kKey, offered).value(), "b");
}

TEST(CheckUpgrade, RefusesAWrongAnswer) {
  constexpr std::array<std::string_view, 1> offered = {"a"};
  UpgradeResponse response = good_response();
  response.status = 200;
  EXPECT_FALSE(check_upgrade(response, kKey, offered));
  response = good_response();
  response.accept = {"AAAAAAAAAAAAAAAAAAAAAAAAAAA="};
  EXPECT_FALSE(check_upgrade(response, kKey, offered));
  response = good_response();
  response.upgrade = {};
  EXPECT_FALSE(check_upgrade(response, kKey, offered));
  response = good_response();
  response.protocol = {"b"};
  EXPECT_FALSE(check_upgrade(response, kKey, offered));
}

TEST(MakeKey, GivesAKeyThatAServerAccepts) {
  testing::SeededRandom random;
  const std::string key = make_key(random);
  UpgradeRequest request = good_request();
  request.key = {key};
  EXPECT_TRUE(accept_upgrade(request));
}

}  // namespace
}  // namespace sluice::ws
