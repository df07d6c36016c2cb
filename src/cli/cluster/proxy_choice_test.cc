#include "cli/cluster/proxy_choice.h"

#include <gtest/gtest.h>

#include "cli/cluster/fake_environment.h"

namespace sluice::cli {
namespace {

std::string proxy_for(const std::string& url, std::map<std::string, std::string> variables) {
  const auto proxy = choose_proxy(*http::parse_url(url), FakeEnvironment(std::move(variables)));
  if (!proxy) return proxy.error().message;
  return *proxy ? (*proxy)->host + ":" + std::to_string((*proxy)->port) : "none";
}

TEST(ProxyChoice, FollowsTheScheme) {
  EXPECT_EQ(proxy_for("https://a.example", {{"HTTPS_PROXY", "http://p:3128"}}), "p:3128");
  EXPECT_EQ(proxy_for("https://a.example", {{"https_proxy", "p:3128"}}), "p:3128");
  EXPECT_EQ(proxy_for("https://a.example", {{"http_proxy", "http://p:3128"}}), "none");
  EXPECT_EQ(proxy_for("http://a.example", {{"http_proxy", "socks5://p"}}), "p:1080");
}

TEST(ProxyChoice, NeverForLoopback) {
  EXPECT_EQ(proxy_for("https://127.0.0.1", {{"HTTPS_PROXY", "http://p:3128"}}), "none");
  EXPECT_EQ(proxy_for("https://localhost:1", {{"HTTPS_PROXY", "http://p:3128"}}), "none");
}

TEST(ProxyChoice, ExemptHosts) {
  EXPECT_TRUE(is_exempt("*", "a.example"));
  EXPECT_TRUE(is_exempt("b, A.example", "a.example"));
  EXPECT_TRUE(is_exempt(".example", "a.example"));
  EXPECT_TRUE(is_exempt("example", "a.example"));
  EXPECT_FALSE(is_exempt("ample", "a.example"));
  EXPECT_FALSE(is_exempt("", "a.example"));
}

TEST(ProxyChoice, PasswordOfABadProxyIsNotRepeated) {
  const std::string problem =
      proxy_for("https://a.example", {{"HTTPS_PROXY", "http://u:secret@host:port"}});
  EXPECT_TRUE(problem.starts_with("HTTPS_PROXY"));
  EXPECT_FALSE(problem.contains("secret"));
  EXPECT_EQ(proxy_for("https://a.example", {{"HTTPS_PROXY", "u:p@p:3128"}}), "p:3128");
}

TEST(ProxyChoice, BadProxyNamesTheVariable) {
  EXPECT_TRUE(
      proxy_for("https://a.example", {{"HTTPS_PROXY", "ftp://p"}}).starts_with("HTTPS_PROXY"));
}

}  // namespace
}  // namespace sluice::cli
