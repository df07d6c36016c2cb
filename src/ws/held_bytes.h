// How much is under way in all connections and sessions of this process: what slow peers have yet
// to take, and what is being worked on.
#pragma once

#include <cstddef>

namespace sluice::ws {

/// The bytes of all PooledBuffers in use. On any thread.
std::size_t held_bytes();

}  // namespace sluice::ws
