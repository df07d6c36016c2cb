// write_out(): bytes to a descriptor, as a whole, for threads that may wait.
#pragma once

#include <string_view>

namespace sluice {

/// The descriptor may block, or, where others who share it have made it so, not: waits either way.
/// `bytes` becomes what was not written of them. 0, or the errno of what hindered it.
int write_out(int descriptor, std::string_view& bytes);

}  // namespace sluice
