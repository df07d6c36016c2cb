// Reading and writing descriptors from a thread of its own, where waiting holds up nobody.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::cli {

/// What is read or written at once.
inline constexpr std::size_t kBlockBytes = 64_KiB;

/// Some bytes; 0: their end. Errors: Internal.
Result<std::size_t> read_some(int descriptor, MutableBytes into);
/// Errors: Unavailable: the reader is gone; Internal.
Result<> write_all(int descriptor, Bytes bytes);
/// Up to the next '\n', which is left out; reads no further. Errors: Unavailable: it ends before
/// that, or after `limit_bytes`; Internal.
Result<std::string> read_line(int descriptor, std::size_t limit_bytes);

}  // namespace sluice::cli
