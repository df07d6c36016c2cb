// How many background tasks run in the process: what of them is left when nobody asks for anything
// any more was forgotten by its owner.
#pragma once

#include <cstdint>

namespace sluice {

/// From any thread.
void task_started();
void task_ended();
std::int64_t running_task_count();

}  // namespace sluice
