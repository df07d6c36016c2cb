#include "net/listener.h"

#include <sys/resource.h>

#include <gtest/gtest.h>

#include "net/resolve.h"
#include "net/task_group.h"
#include "net/yield.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::net {
namespace {

TEST(ParseListenAddress, HostsAndPorts) {
  const auto parsed = [](std::string_view text) { return parse_listen_address(text)->to_string(); };
  EXPECT_EQ(parsed("127.0.0.1:80"), "127.0.0.1:80");
  EXPECT_EQ(parsed("[::1]:0"), "[::1]:0");
  EXPECT_EQ(parsed("localhost:8080"), "127.0.0.1:8080");
  EXPECT_EQ(parsed(":8080"), "[::]:8080");
}

TEST(ParseListenAddress, AnythingElseIsRefused) {
  for (const std::string_view text : {"", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
                                      "127.0.0.1:65536", "example.org:80", "1.2.3:80"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
}

TEST(ListenAddress, LoopbackIsThisMachineOnly) {
  EXPECT_TRUE((ListenAddress{"127.1.2.3", 1}.is_loopback()));
  EXPECT_TRUE((ListenAddress{"::1", 1}.is_loopback()));
  EXPECT_FALSE((ListenAddress{"0.0.0.0", 1}.is_loopback()));
  EXPECT_FALSE((ListenAddress{"::", 1}.is_loopback()));
}

TEST(Listener, PortZeroPicksOneThatOthersMayJoinButNotTake) {
  EventLoop loop;
  const auto first = Listener::open(loop.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
  ASSERT_TRUE(first);
  EXPECT_NE(first->address().port, 0);
  EXPECT_TRUE(Listener::open(loop.executor(), first->address(), Listener::Sharing::Joining));
  const auto other = Listener::open(loop.executor(), first->address(), Listener::Sharing::First);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message, first->address().to_string() + ": address already in use");
}

TEST(Listener, AcceptsAConnection) {
  EventLoop loop;
  SystemTimers timers;
  auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
  auto client = testing::run(loop, connect_tcp("127.0.0.1", listener->address().port));
  ASSERT_TRUE(client);
  auto server = testing::run(loop, listener->accept(timers));
  ASSERT_TRUE(server);
  EXPECT_TRUE((*server)->peer().starts_with("127.0.0.1:"));
}

Task<> accept_all(Listener& listener, Timers& timers, std::string& order, int count) {
  for (int i = 0; i < count; ++i) {
    const auto stream = co_await listener.accept(timers);
    EXPECT_TRUE(stream);
    order += 'a';
  }
}

Task<> yield_often(std::string& order, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    order += 'o';
    const Result<> yielded = co_await yield();
    EXPECT_TRUE(yielded);
  }
}

TEST(Listener, ConnectionsThatAreThereTakeTurnsWithTheRestOfTheLoop) {
  EventLoop loop;
  SystemTimers timers;
  auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
  std::vector<Result<std::unique_ptr<TcpStream>>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(testing::run(loop, connect_tcp("127.0.0.1", listener->address().port)));
  }
  std::string order;
  TaskGroup tasks(loop.executor());
  tasks.spawn("accept", accept_all(*listener, timers, order, 3));
  tasks.spawn("others", yield_often(order, 4));
  testing::run_until_empty(loop, tasks);
  EXPECT_EQ(order, "oaoaoao");
}

TEST(Listener, WithoutRoomConnectionsWait) {
  EventLoop loop;
  testing::VirtualClock clock(loop);
  auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
  auto client = testing::run(loop, connect_tcp("127.0.0.1", listener->address().port));
  std::optional<Result<std::unique_ptr<TcpStream>>> accepted;
  bool has_room = false;
  TaskGroup group(loop.executor());
  group.spawn("accept", testing::store_result(
                            listener->accept(clock, [&has_room] { return has_room; }), accepted));
  clock.advance(seconds(1));
  EXPECT_FALSE(accepted);
  has_room = true;
  clock.advance(milliseconds(50));
  testing::run_until_empty(loop, group);
  EXPECT_TRUE(accepted && *accepted);
}

TEST(Listener, OutOfDescriptorsWaitsAndGoesOn) {
  EventLoop loop;
  testing::VirtualClock clock(loop);
  auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
  auto client = testing::run(loop, connect_tcp("127.0.0.1", listener->address().port));
  ASSERT_TRUE(client);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 3;
  TaskGroup group(loop.executor());
  std::optional<Result<std::unique_ptr<TcpStream>>> accepted;
  // UBSan's check of a virtual call needs a descriptor the first time, and remembers the answer.
  Timers& timers = clock;
  {
    const auto never_awaited = timers.sleep_for(seconds(0));
  }

  ::setrlimit(RLIMIT_NOFILE, &none);
  group.spawn("accept", testing::store_result(listener->accept(clock), accepted));
  testing::run_until_idle(loop);
  EXPECT_EQ(clock.sleeping(), 1U);
  ::setrlimit(RLIMIT_NOFILE, &before);
  clock.advance(milliseconds(50));
  testing::run_until_empty(loop, group);
  EXPECT_TRUE(accepted && *accepted);
}

TEST(Resolve, LiteralsAndTheNameOfThisMachine) {
  EventLoop loop;
  EXPECT_EQ(testing::run(loop, resolve("::1")), std::vector<std::string>{"::1"});
  const auto addresses = testing::run(loop, resolve("localhost"));
  ASSERT_TRUE(addresses && !addresses->empty());
  EXPECT_TRUE(addresses->front() == "127.0.0.1" || addresses->front() == "::1");
}

TEST(ConnectHost, GoesThroughTheAddressesUntilOneAnswers) {
  EventLoop loop;
  const auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
  EXPECT_TRUE(testing::run(loop, connect_host("localhost", listener->address().port)));
}

TEST(ConnectTcp, NobodyListeningIsConnectionRefused) {
  EventLoop loop;
  std::uint16_t port = 0;
  {
    const auto gone = Listener::open(loop.executor(), {"127.0.0.1", 0}, Listener::Sharing::First);
    port = gone->address().port;
  }
  const auto stream = testing::run(loop, connect_tcp("127.0.0.1", port));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().message, "connection refused");
}

}  // namespace
}  // namespace sluice::net
