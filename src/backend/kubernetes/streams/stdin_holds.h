// StdinHolds: which containers' stdin an attach of this process holds. Kubernetes itself would let
// several write to one stdin, and mix what they say.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace sluice::backend::kubernetes {

class StdinHolds;

/// Ends when dropped, on any thread.
class StdinHold {
 public:
  StdinHold(const StdinHold&) = delete;
  StdinHold& operator=(const StdinHold&) = delete;
  ~StdinHold();

 private:
  friend class StdinHolds;
  StdinHold(StdinHolds& holds, std::string container_id);

  StdinHolds& holds_;
  std::string container_id_;
};

/// Outlives its holds. Any thread.
class StdinHolds {
 public:
  /// Null: another one holds it.
  std::unique_ptr<StdinHold> take(const std::string& container_id);

 private:
  friend class StdinHold;
  std::mutex mutex_;
  std::set<std::string> held_;
};

}  // namespace sluice::backend::kubernetes
