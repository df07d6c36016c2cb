#include "backend/kubernetes/access/api_endpoints.h"

#include <gmock/gmock.h>

#include "net/listener.h"
#include "testing/test_loop.h"

namespace sluice::backend::kubernetes {
namespace {

using ::testing::HasSubstr;

class ApiEndpointsTest : public ::testing::Test {
 protected:
  net::Listener listen() {
    return *net::Listener::open(loop_.executor(), {"127.0.0.1", 0}, net::Listener::Sharing::First);
  }
  /// A port that nobody listens on.
  std::string dead() {
    net::Listener listener = listen();
    const std::string address = listener.address().to_string();
    listener.close();
    return address;
  }
  std::unique_ptr<ApiEndpoints> endpoints(std::vector<std::string> servers,
                                          std::string proxy = "") {
    const ClusterConfig config{.servers = std::move(servers), .proxy_url = std::move(proxy)};
    return *ApiEndpoints::from(config, timers_);
  }
  Result<ApiConnection> connect(ApiEndpoints& endpoints) {
    return testing::run(loop_, endpoints.connect(nullptr));
  }

  net::EventLoop loop_;
  net::SystemTimers timers_;
};

TEST_F(ApiEndpointsTest, ConnectionCarriesAuthorityAndPathOfItsServer) {
  net::Listener server = listen();
  const std::string address = server.address().to_string();
  const auto connection = connect(*endpoints({"http://" + address + "/k8s/c-1/"}));
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(connection->authority, address);
  EXPECT_EQ(connection->path_prefix, "/k8s/c-1");
}

TEST_F(ApiEndpointsTest, DeadServerIsPassedOverAndTheOneThatAnsweredComesFirst) {
  net::Listener first = listen(), second = listen();
  const std::string first_address = first.address().to_string();
  const std::string second_address = second.address().to_string();
  const auto both = endpoints({"http://" + first_address, "http://" + second_address});
  EXPECT_EQ(connect(*both)->authority, first_address);
  first.close();
  EXPECT_EQ(connect(*both)->authority, second_address);
  net::Listener again =
      *net::Listener::open(loop_.executor(), first.address(), net::Listener::Sharing::First);
  EXPECT_EQ(connect(*both)->authority, second_address);
}

TEST_F(ApiEndpointsTest, FailureNamesAllServersForTheLogOnly) {
  const std::string first = dead(), second = dead();
  const auto connection = connect(*endpoints({"http://" + first, "http://" + second}));
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().message,
            "the cluster's API server can't be reached: connection refused");
  EXPECT_EQ(connection.error().cause,
            first + ": connection refused; " + second + ": connection refused");
}

TEST_F(ApiEndpointsTest, NamesAreResolved) {
  net::Listener server = listen();
  const std::string url = "http://localhost:" + std::to_string(server.address().port);
  EXPECT_TRUE(connect(*endpoints({url})));
  EXPECT_FALSE(connect(*endpoints({"http://no-such-host.invalid:1"})));
}

net::Task<> grant_tunnel(net::Listener& listener, net::Timers& timers, std::string& request) {
  const auto stream = co_await listener.accept(timers);
  std::array<std::byte, 1024> block;
  const auto count = co_await (*stream)->read(block);
  request = as_text(Bytes(block).first(count.value_or(0)));
  const Result<> written = co_await (*stream)->write(as_bytes("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_TRUE(written);
}

TEST_F(ApiEndpointsTest, ProxyIsAskedForTheServer) {
  net::Listener proxy = listen();
  const auto endpoint =
      endpoints({"http://api.internal:6443"}, "http://" + proxy.address().to_string());
  std::string request;
  net::TaskGroup group(loop_.executor());
  group.spawn("proxy", grant_tunnel(proxy, timers_, request));
  const auto connection = connect(*endpoint);
  ASSERT_TRUE(connection) << connection.error().cause;
  EXPECT_EQ(connection->authority, "api.internal:6443");
  EXPECT_THAT(request, HasSubstr("CONNECT api.internal:6443 HTTP/1.1\r\n"));
  testing::run_until_empty(loop_, group);
}

TEST_F(ApiEndpointsTest, OnlyUrlsOfServersAndProxiesAreTaken) {
  for (const ClusterConfig& bad :
       {ClusterConfig{}, ClusterConfig{.servers = {"k:6443"}},
        ClusterConfig{.servers = {"https://k/?a=b"}},
        ClusterConfig{.servers = {"https://k"}, .proxy_url = "https://p"},
        ClusterConfig{.servers = {"https://k"}, .proxy_url = "nonsense"}}) {
    const auto made = ApiEndpoints::from(bad, timers_);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::InvalidArgument);
  }
}

}  // namespace
}  // namespace sluice::backend::kubernetes
