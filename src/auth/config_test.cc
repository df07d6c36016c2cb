#include "auth/config.h"

#include <gtest/gtest.h>

#include "auth/key_url.h"

namespace sluice::auth {
namespace {

IssuerConfig issuer(std::string name) { return {std::move(name), {}, {}, {}, {}}; }

TEST(AuthConfig, KeysComeByHttpsOrFromThisMachine) {
  for (const char* url :
       {"https://auth.example/realms/runai", "https://x", "http://127.0.0.1:8080/jwks",
        "http://localhost/jwks", "http://[::1]:9/jwks", "http://127.0.0.1"}) {
    EXPECT_TRUE(check_key_url(url)) << url;
  }
  for (const char* url :
       {"http://auth.example/jwks", "http://127.0.0.1.evil.example/", "https://", "https:///x",
        "http://127.0.0.1@evil.example/", "http://localhost.evil/", "file:///etc/passwd", "ftp://x",
        "", "127.0.0.1", "HTTP://127.0.0.1/", "http://[::1]evil/", "http://127.0.0.1:80@evil/"}) {
    EXPECT_FALSE(check_key_url(url)) << url;
  }
}

TEST(AuthConfig, NoIssuerAtAllIsRefused) { EXPECT_FALSE(check(AuthConfig{})); }

TEST(AuthConfig, IssuerTwiceIsRefused) {
  AuthConfig config;
  config.issuers = {issuer("https://a"), issuer("https://a")};
  EXPECT_EQ(check(config).error().message, "issuer \"https://a\" is given twice");
}

TEST(AuthConfig, FileAndUrlAtOnceAreRefused) {
  IssuerConfig both = issuer("https://a");
  both.jwks_file = "keys.json";
  both.jwks_uri = "https://a/keys";
  EXPECT_FALSE(check(both));
}

TEST(AuthConfig, TheNameOfTheDevelopmentIssuerIsReserved) {
  EXPECT_FALSE(check(issuer("sluice-development")));
  EXPECT_FALSE(check(issuer("")));
}

TEST(AuthConfig, IssuerWithFileNeedsNoUrlAsName) {
  IssuerConfig config = issuer("any name");
  EXPECT_FALSE(check(config));
  config.jwks_file = "keys.json";
  EXPECT_TRUE(check(config));
}

TEST(AuthConfig, UnreadableKeyFileIsNamed) {
  AuthConfig config;
  config.issuers = {issuer("a")};
  config.issuers[0].jwks_file = "/nonexistent/keys.json";
  EXPECT_EQ(check(config).error().message, "/nonexistent/keys.json: No such file or directory");
}

TEST(AuthConfig, LeewayAndRefreshAreBounded) {
  AuthConfig config;
  config.issuers = {issuer("https://a")};
  EXPECT_TRUE(check(config));
  config.leeway = std::chrono::hours(1);
  EXPECT_FALSE(check(config));
  config.leeway = -seconds(1);
  EXPECT_FALSE(check(config));
  config.leeway = seconds(0);
  config.jwks_refresh = milliseconds(10);
  EXPECT_FALSE(check(config));
}

}  // namespace
}  // namespace sluice::auth
