// Whole small files: keys, tokens, configuration. Not for logs (backend/local/log_file.h).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice {

/// At most `limit_bytes`. Errors: NotFound, Unavailable (with the reason in the message), TooLarge.
Result<std::string> read_file(const std::string& path, std::size_t limit_bytes);
/// To a descriptor that may block; 0, or the errno of what hindered it.
int write_all(int descriptor, std::string_view bytes);
/// Written to a temporary beside it, synced, and renamed: a reader sees the old or the new whole.
Result<> write_file_atomically(const std::string& path, std::string_view content, unsigned mode);

/// With those above it; its owner's alone. One that exists is left as it is, as is "". Errors:
/// Unavailable, naming it.
Result<> make_private_folder(const std::string& path);

}  // namespace sluice
