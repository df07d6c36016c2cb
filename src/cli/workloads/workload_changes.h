// WorkloadChanges: the events of a watch as one sequence, over as many connections as it takes.
// Each connection begins with all there is: of that only what is new is handed on. No I/O.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace sluice::cli {

class WorkloadChanges {
 public:
  /// A connection begins.
  void begin();
  /// What the server's event changes: ADDED, MODIFIED and DELETED events as the API has them
  /// (docs/user/api.md), and, once, SYNCED.
  std::vector<json::object> take(const json::object& event);

 private:
  struct Known {
    json::object workload;
    bool is_confirmed = false;  // by this connection
  };
  void take_synced(const json::object& event, std::vector<json::object>& changes);

  std::map<std::string, Known> known_;  // by type, framework and name
  bool is_synced_ = false;              // all there was at first has been handed on
};

}  // namespace sluice::cli
