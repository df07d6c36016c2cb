// One request under way: what came in, and the connection that the answer goes out on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/router.h"
#include "gateway/upgraded_session.h"
#include "gateway/workload_watch.h"
#include "http/server_connection.h"
#include "net/turns.h"

namespace sluice::gateway {

struct Exchange {
  http::ServerConnection& connection;
  const http::RequestHead& head;
  net::Turns& download_turns;  // of all downloads of this loop
  MonotonicTime started;
  std::string peer;
  Route route;  // its endpoint is Unknown until the path was matched
  // Once they are known, for the log and the audit trail:
  std::string user;
  std::vector<std::string> groups;
  std::optional<workload::ContainerRef> container;
  std::vector<std::string> command;  // of an exec
};

/// The body has gone out already, or the connection was aborted in the middle of it.
struct Streamed {
  std::optional<Error> broke_off;  // with it; nullopt: it was whole
  bool keeps_alive = false;        // as its head has promised
};

/// How a request that was not refused gets answered.
using Answer = std::variant<http::Response, Streamed, std::unique_ptr<UpgradedSession>,
                            std::unique_ptr<WorkloadWatch>>;

}  // namespace sluice::gateway
