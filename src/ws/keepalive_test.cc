#include "ws/keepalive.h"

#include <gtest/gtest.h>

namespace sluice::ws {
namespace {

using namespace std::chrono_literals;
using Action = Keepalive::Action;

constexpr MonotonicTime kStart{1h};

Keepalive usual() { return Keepalive({.ping_interval = 30s, .idle_timeout = 300s}, kStart); }

TEST(Keepalive, PingsAtEachInterval) {
  Keepalive keepalive = usual();
  const auto first = keepalive.decide(kStart, kStart);
  EXPECT_EQ(first.action, Action::Wait);
  EXPECT_EQ(first.next, kStart + 30s);
  EXPECT_EQ(keepalive.decide(kStart + 29s, kStart).action, Action::Wait);
  EXPECT_EQ(keepalive.decide(kStart + 30s, kStart).action, Action::SendPing);
  EXPECT_EQ(keepalive.decide(kStart + 30s, kStart).next, kStart + 60s);
}

TEST(Keepalive, APeerThatAnswersLivesOn) {
  Keepalive keepalive = usual();
  for (auto now = kStart; now < kStart + 3600s; now += 30s) {
    EXPECT_NE(keepalive.decide(now, now - 1s).action, Action::IdleTimeout);
  }
}

TEST(Keepalive, SilenceForTheIdleTimeoutEndsIt) {
  Keepalive keepalive = usual();
  EXPECT_NE(keepalive.decide(kStart + 299s, kStart).action, Action::IdleTimeout);
  EXPECT_EQ(keepalive.decide(kStart + 300s, kStart).action, Action::IdleTimeout);
}

TEST(Keepalive, TheNextDecisionIsDueBeforeTheIdleTimeout) {
  Keepalive keepalive({.ping_interval = 30s, .idle_timeout = 10s}, kStart);
  EXPECT_EQ(keepalive.decide(kStart, kStart).next, kStart + 10s);
}

TEST(Keepalive, IdleTimeDoesNotRunWhileTheServerHoldsTheClientBack) {
  Keepalive keepalive = usual();
  keepalive.hold_back();
  EXPECT_EQ(keepalive.decide(kStart + 1000s, kStart).action, Action::SendPing);
  keepalive.resume(kStart + 1000s);
  EXPECT_NE(keepalive.decide(kStart + 1299s, kStart).action, Action::IdleTimeout);
  EXPECT_EQ(keepalive.decide(kStart + 1300s, kStart).action, Action::IdleTimeout);
}

}  // namespace
}  // namespace sluice::ws
