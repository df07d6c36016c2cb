#include "observe/task_count.h"

#include <atomic>

namespace sluice {
namespace {

std::atomic<std::int64_t> running_tasks = 0;

}  // namespace

void task_started() { running_tasks.fetch_add(1, std::memory_order_relaxed); }

void task_ended() { running_tasks.fetch_sub(1, std::memory_order_relaxed); }

std::int64_t running_task_count() { return running_tasks.load(std::memory_order_relaxed); }

}  // namespace sluice
