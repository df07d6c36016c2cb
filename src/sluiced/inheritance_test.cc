#include "sluiced/inheritance.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstdlib>
#include <functional>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "net/event_loop.h"

namespace sluice::sluiced {
namespace {

constexpr int kFirst = 3;

/// What `check` says in a process that was started with these sockets and this environment.
class InheritanceTest : public ::testing::Test {
 protected:
  net::Listener listen(std::uint16_t port = 0) {
    return *net::Listener::open(
        loop_.executor(), {"127.0.0.1", port},
        port == 0 ? net::Listener::Sharing::First : net::Listener::Sharing::Joining);
  }

  static bool in_child(const std::vector<int>& sockets, const std::string& names,
                       const std::function<bool()>& check) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::vector<int> high;
      for (const int fd : sockets) high.push_back(::fcntl(fd, F_DUPFD, 100));
      for (std::size_t i = 0; i < high.size(); ++i) ::dup2(high[i], kFirst + static_cast<int>(i));
      ::setenv("LISTEN_FDS", std::to_string(sockets.size()).c_str(), 1);
      ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
      ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
      ::_exit(check() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  net::EventLoop loop_;
};

TEST_F(InheritanceTest, WithoutItNothingIsInherited) {
  const Inheritance taken = *Inheritance::take();
  EXPECT_FALSE(taken.has_sockets() || taken.is_held() || taken.predecessor);
}

TEST_F(InheritanceTest, SocketsAreClaimedByTheirAddress) {
  net::Listener one = listen();
  net::Listener other = listen();
  EXPECT_TRUE(in_child({one.fd(), other.fd()}, "sluiced.socket:sluiced.socket", [&] {
    Inheritance taken = *Inheritance::take();
    const auto claimed = taken.claim(other.address(), kClientSocket);
    const auto again = taken.claim(other.address(), kClientSocket);
    return taken.is_held() && claimed.size() == 1 && again.empty() &&
           taken.close_unclaimed() == std::vector{one.address()};
  }));
}

TEST_F(InheritanceTest, ThoseOfOnePortComeTogetherAndPortZeroIsAnyOne) {
  net::Listener one = listen();
  net::Listener joined = listen(one.address().port);
  net::Listener other = listen();
  EXPECT_TRUE(in_child({one.fd(), other.fd(), joined.fd()}, "", [] {
    Inheritance taken = *Inheritance::take();
    return taken.claim({"127.0.0.1", 0}, kClientSocket).size() == 2 &&
           taken.claim({"127.0.0.1", 0}, kClientSocket).size() == 1 &&
           taken.claim({"127.0.0.1", 0}, kClientSocket).empty();
  }));
}

TEST_F(InheritanceTest, NameSaysWhichAddressWithPortZeroItIsFor) {
  net::Listener admin = listen();
  net::Listener client = listen();
  EXPECT_TRUE(in_child({admin.fd(), client.fd()}, "admin:listen", [&] {
    Inheritance taken = *Inheritance::take();
    const auto clients = taken.claim({"127.0.0.1", 0}, kClientSocket);
    const auto admins = taken.claim({"127.0.0.1", 0}, kAdminSocket);
    return net::listening_address(clients.at(0).get()) == client.address() &&
           net::listening_address(admins.at(0).get()) == admin.address();
  }));
}

TEST_F(InheritanceTest, AnAdminSocketNeedsNoNameWhereItsPortIsKnown) {
  net::Listener admin = listen();
  EXPECT_TRUE(in_child({admin.fd()}, "sluiced.socket", [&] {
    return Inheritance::take()->claim(admin.address(), kAdminSocket).size() == 1;
  }));
}

TEST_F(InheritanceTest, NoProgramOfOursInheritsThem) {
  net::Listener one = listen();
  EXPECT_TRUE(in_child({one.fd()}, "", [] {
    const Inheritance taken = *Inheritance::take();
    return ::fcntl(kFirst, F_GETFD) == FD_CLOEXEC && std::getenv("LISTEN_FDS") == nullptr &&
           std::getenv("LISTEN_PID") == nullptr && std::getenv("LISTEN_FDNAMES") == nullptr;
  }));
}

TEST_F(InheritanceTest, WhatIsMeantForAnotherProcessIsLeftAlone) {
  net::Listener one = listen();
  EXPECT_TRUE(in_child({one.fd()}, "", [] {
    ::setenv("LISTEN_PID", "1", 1);
    return !Inheritance::take()->has_sockets();
  }));
}

TEST_F(InheritanceTest, AnythingButAListeningSocketIsRefused) {
  EXPECT_TRUE(in_child({STDERR_FILENO}, "", [] {
    const auto taken = Inheritance::take();
    return !taken && taken.error().message == "descriptor 3 is no listening TCP socket";
  }));
  EXPECT_TRUE(in_child({}, "", [] {
    ::close(kFirst);
    ::setenv("LISTEN_FDS", "1", 1);
    return !Inheritance::take();
  }));
}

TEST_F(InheritanceTest, APredecessorsSocketsAreHeldOnlyIfItsOwnWere) {
  net::Listener one = listen();
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
  const UniqueFd ours(pair[0]), theirs(pair[1]);
  for (const bool held : {false, true}) {
    EXPECT_TRUE(in_child({one.fd()}, "listen", [&] {
      ::unsetenv("LISTEN_PID");
      ::setenv(kPredecessorVariable, std::to_string(theirs.get()).c_str(), 1);
      if (held) ::setenv(kHeldVariable, "1", 1);
      const Inheritance taken = *Inheritance::take();
      return taken.has_sockets() && taken.predecessor && taken.is_held() == held;
    })) << held;
  }
}

}  // namespace
}  // namespace sluice::sluiced
