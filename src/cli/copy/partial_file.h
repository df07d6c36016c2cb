// What has arrived of a file, beside its target, until it is whole: so that a copy that was cut
// goes on where it was, and the target is never half a file. Blocking.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "cli/copy/target_directory.h"

namespace sluice::cli {

/// Where what is written to that path goes: symbolic links are followed, also one to where nothing
/// is yet. Errors: InvalidArgument: there is no directory for it, or something else than a file, as
/// behind /dev/stdout.
Result<std::string> follow_to_file(const std::string& path);

struct FoundPartial {
  std::string identity;  // of the source; empty: there is none
  std::uint64_t bytes = 0;
};

/// The largest that there is for `target`.
FoundPartial find_partial(const std::string& target);

/// Its path for that source.
std::string partial_path(const std::string& target, std::string_view identity);

/// Keeps `offset` bytes of it, adds what `from` brings, up to `size` where that is known, and reads
/// `from` to its end. The SHA-256 of the whole. Errors: Unavailable: `from` ended early; Internal;
/// Cancelled.
Result<std::string> receive_file(int from, const std::string& partial, std::uint64_t offset,
                                 std::optional<std::uint64_t> size, const std::stop_token& stop);

/// Errors: Internal.
Result<> put_in_place(const std::string& partial, const std::string& target,
                      const FileAttributes& attributes);

}  // namespace sluice::cli
