// take_bytes: copies off the front of a view. The algorithms of libstdc++ 12 copy bytes one by one.
#pragma once

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace sluice {

/// Copies what fits, and takes it off `from`; how many bytes.
inline std::size_t take_bytes(Bytes& from, MutableBytes into) {
  const std::size_t count = std::min(from.size(), into.size());
  if (count > 0) std::memcpy(into.data(), from.data(), count);
  from = from.subspan(count);
  return count;
}

}  // namespace sluice
