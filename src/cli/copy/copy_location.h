// Where `sluice cp` copies from and to, as a command line writes it, and the names that follow.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::cli {

struct CopyLocation {
  std::string workload;  // empty: this machine
  std::string path;      // never empty; of a workload: "/..." or "./...", so no option
  bool operator==(const CopyLocation&) const = default;
};

/// "WORKLOAD:PATH", or a path of this machine: as for scp, a colon behind a slash is a part of the
/// path ("./a:b"). "WORKLOAD:" is the container's working directory. Errors: InvalidArgument.
Result<CopyLocation> parse_copy_location(std::string_view text);

/// What a copy of it is called inside a directory: "b" of "a/b/". Empty where the path has no name
/// of its own ("/", "a/.", ".."): what is in it is copied then.
std::string base_name(std::string_view path);
/// "a/" of "a/b", empty of "b".
std::string directory_part(std::string_view path);
/// A directory's entry.
std::string join_path(std::string_view directory, std::string_view name);

/// The name, beside the target, of what has arrived of a file that is not whole yet. `identity`
/// tells versions of the source apart.
std::string partial_name(std::string_view name, std::string_view identity);
/// The identity in such a name of `name`; empty: it is none.
std::string identity_in(std::string_view partial, std::string_view name);

}  // namespace sluice::cli
