// ApiClientFixture: an API server that is not there, and a client of it, for tests of what asks it.
// Time is virtual.
#pragma once

#include <gtest/gtest.h>

#include "backend/kubernetes/api/api_client.h"
#include "testing/fake_api_server.h"
#include "testing/seeded_random.h"
#include "testing/test_loop.h"
#include "testing/virtual_clock.h"

namespace sluice::backend::kubernetes {

class ApiClientFixture : public ::testing::Test {
 protected:
  net::EventLoop loop_;
  testing::VirtualClock clock_{loop_};
  testing::SeededRandom random_{1};
  testing::FakeApiServer server_{loop_, clock_, random_};
  testing::FakeClusterAccess access_{server_};
  ApiClient client_{access_, clock_, random_};
};

}  // namespace sluice::backend::kubernetes
