#include "observe/bounded_thread.h"

#include <utility>

namespace sluice {

BoundedThread::BoundedThread(std::function<void()> run) {
  std::packaged_task<void()> task(std::move(run));
  ended_ = task.get_future();
  thread_ = std::thread(std::move(task));
}

bool BoundedThread::join_within(nanoseconds patience) {
  if (ended_.wait_for(patience) != std::future_status::ready) {
    thread_.detach();
    return false;
  }
  thread_.join();
  return true;
}

}  // namespace sluice
