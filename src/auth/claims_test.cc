#include "auth/claims.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sluice::auth {
namespace {

constexpr std::int64_t kNow = 1'767'225'600;  // 2026-01-01
const WallTime kNowTime{seconds(kNow)};

ClaimRules rules() { return {"https://issuer", {}, {}, seconds(30)}; }

Result<Caller> check_text(std::string_view claims, const ClaimRules& with = rules(),
                          WallTime now = kNowTime) {
  const auto object = json::parse(claims);
  EXPECT_TRUE(object) << claims;
  return check_claims(object->get_object(), with, now);
}

/// Valid claims with more members.
std::string claims(std::string_view more) {
  return fmt::format(R"({{"iss":"https://issuer","sub":"alice","exp":{}{}{}}})", kNow + 60,
                     more.empty() ? "" : ",", more);
}

void expect_refused(std::string_view text, std::string_view why, const ClaimRules& with = rules()) {
  const auto caller = check_text(text, with);
  ASSERT_FALSE(caller) << text;
  EXPECT_EQ(caller.error().code, ErrorCode::Unauthenticated);
  EXPECT_EQ(caller.error().message, why) << text;
}

TEST(Claims, SayWhoTheCallerIs) {
  const auto caller = check_text(claims(R"("groups":["ml","ops"])"));
  ASSERT_TRUE(caller) << caller.error().message;
  EXPECT_EQ(caller->user, "alice");
  EXPECT_EQ(caller->groups, (std::vector<std::string>{"ml", "ops"}));
  EXPECT_EQ(caller->expires_at, kNowTime + seconds(60));
}

TEST(Claims, IssuerMustBeExact) {
  for (const char* issuer : {R"("https://issuer/")", R"("HTTPS://issuer")", R"("https://issue")",
                             R"("")", R"(["https://issuer"])", "null"}) {
    expect_refused(fmt::format(R"({{"iss":{},"sub":"a","exp":{}}})", issuer, kNow + 60),
                   "unknown issuer");
  }
  expect_refused(fmt::format(R"({{"sub":"a","exp":{}}})", kNow + 60), "unknown issuer");
}

TEST(Claims, ExpIsRequiredAndExact) {
  const auto at = [](std::string_view exp) {
    return fmt::format(R"({{"iss":"https://issuer","sub":"alice","exp":{}}})", exp);
  };
  expect_refused(R"({"iss":"https://issuer","sub":"alice"})",
                 "token without exp: it would never expire");
  expect_refused(at(std::to_string(kNow)), "token expired");
  expect_refused(at(std::to_string(kNow - 1)), "token expired");
  expect_refused(at("0"), "token expired");
  EXPECT_TRUE(check_text(at(std::to_string(kNow + 1))));
  EXPECT_TRUE(check_text(at(fmt::format("{}.5", kNow))));
  EXPECT_TRUE(check_text(at(fmt::format("{}.0e0", kNow + 1))));
}

TEST(Claims, ExpHoldsUntilTheNanosecondBefore) {
  EXPECT_TRUE(check_text(claims(""), rules(), kNowTime + seconds(60) - nanoseconds(1)));
  EXPECT_FALSE(check_text(claims(""), rules(), kNowTime + seconds(60)));
}

TEST(Claims, AbsurdTimesAreRefused) {
  for (const char* exp : {"-1", "1767225660000", "1e300", "18446744073709551615", R"("1767225660")",
                          "true", "null", "[]", "-0.5"}) {
    expect_refused(fmt::format(R"({{"iss":"https://issuer","sub":"a","exp":{}}})", exp),
                   "claim exp is not a time in seconds since 1970");
  }
  expect_refused(claims(R"("nbf":"soon")"), "claim nbf is not a time in seconds since 1970");
  expect_refused(claims(R"("iat":-5)"), "claim iat is not a time in seconds since 1970");
}

TEST(Claims, TimesAfter2262AreTheLastMoment) {
  const auto caller = check_text(R"({"iss":"https://issuer","sub":"alice","exp":253402300799})");
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->expires_at, WallTime::max());
}

TEST(Claims, NbfAndIatHaveALeeway) {
  for (const char* name : {"nbf", "iat"}) {
    EXPECT_TRUE(check_text(claims(fmt::format(R"("{}":{})", name, kNow))));
    EXPECT_TRUE(check_text(claims(fmt::format(R"("{}":{})", name, kNow + 30))));
    EXPECT_FALSE(check_text(claims(fmt::format(R"("{}":{})", name, kNow + 31))));
    EXPECT_FALSE(check_text(claims(fmt::format(R"("{}":{}.5)", name, kNow + 30))));
  }
  expect_refused(claims(fmt::format(R"("nbf":{})", kNow + 31)), "token not yet valid");
  expect_refused(claims(fmt::format(R"("iat":{})", kNow + 31)), "token issued in the future");
}

TEST(Claims, AudienceMatchesAnyOfAny) {
  ClaimRules with = rules();
  with.audiences = {"runai", "sluice"};
  EXPECT_TRUE(check_text(claims(R"("aud":"sluice")"), with));
  EXPECT_TRUE(check_text(claims(R"("aud":["other","runai"])"), with));
  EXPECT_TRUE(check_text(claims(R"("aud":[7,"runai"])"), with));
  expect_refused(claims(R"("aud":"Runai")"), "token is for another audience", with);
  expect_refused(claims(R"("aud":["other"])"), "token is for another audience", with);
  expect_refused(claims(R"("aud":[])"), "token is for another audience", with);
  expect_refused(claims(R"("aud":{"runai":1})"), "token is for another audience", with);
  expect_refused(claims(R"("aud":"runai sluice")"), "token is for another audience", with);
  expect_refused(claims(""), "token without aud: it is not for this service", with);
}

TEST(Claims, AudienceIsNotLookedAtWhenNoneIsConfigured) {
  EXPECT_TRUE(check_text(claims(R"("aud":"other")")));
  EXPECT_TRUE(check_text(claims("")));
}

TEST(Claims, NamesOfUserAndGroupsAreConfigurableAndLiteral) {
  ClaimRules with = rules();
  with.names = {"preferred_username", "https://example/groups"};
  const auto caller =
      check_text(claims(R"("preferred_username":"al","https://example/groups":"ml")"), with);
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->user, "al");
  EXPECT_EQ(caller->groups, std::vector<std::string>{"ml"});
  expect_refused(claims(""), "token without the claim that names its user", with);
}

TEST(Claims, ExtrasComeFromTheClaimsThatTheConfigurationNames) {
  ClaimRules with = rules();
  with.names.extras = {{"scopes", "scope"}, {"example.org/team", "teams"}, {"absent", "nothing"}};
  const auto caller = check_text(claims(R"("scope":"read","teams":["a","b"])"), with);
  ASSERT_TRUE(caller) << caller.error().message;
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"scopes", "read"}, {"example.org/team", "a"}, {"example.org/team", "b"}};
  EXPECT_EQ(caller->extras, expected);
  expect_refused(claims(R"("scope":7)"),
                 "the claim that names the extra scopes is not a list of strings", with);
}

TEST(Claims, UserMustBeAPrintableNonEmptyString) {
  for (const char* user : {R"("")", "7", "null", R"(["alice"])", R"("a\u0000")", R"("a\nb")",
                           R"("a\u007f")", R"("a\u0085b")", R"("\u001b[31m")"}) {
    expect_refused(fmt::format(R"({{"iss":"https://issuer","exp":{},"sub":{}}})", kNow + 60, user),
                   "the claim that names the user is not a printable, non-empty string");
  }
  EXPECT_TRUE(check_text(
      fmt::format(R"({{"iss":"https://issuer","exp":{},"sub":"Jörg Ü @x"}})", kNow + 60)));
}

TEST(Claims, GroupsMayBeMissingAStringOrAList) {
  EXPECT_TRUE(check_text(claims(""))->groups.empty());
  EXPECT_TRUE(check_text(claims(R"("groups":null)"))->groups.empty());
  EXPECT_TRUE(check_text(claims(R"("groups":[])"))->groups.empty());
  EXPECT_EQ(check_text(claims(R"("groups":"ml")"))->groups, std::vector<std::string>{"ml"});
  for (const char* groups : {"7", "{}", "true"}) {
    expect_refused(claims(fmt::format(R"("groups":{})", groups)),
                   "the claim that names the groups is not a list of strings");
  }
  for (const char* groups : {R"([7])", R"(["a",null])", R"([["a"]])", R"(["a\nb"])", R"([""])"}) {
    EXPECT_FALSE(check_text(claims(fmt::format(R"("groups":{})", groups)))) << groups;
  }
}

TEST(Claims, MessagesFitAnErrorDescription) {
  for (const char* more : {R"("nbf":"x\"y\\")", R"("groups":["\"\\"])"}) {
    const auto caller = check_text(claims(more));
    if (caller) continue;
    EXPECT_EQ(caller.error().message.find_first_of("\"\\"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::auth
