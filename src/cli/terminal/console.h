// What the program says to a person: on stderr, data being stdout's.
#pragma once

#include <string_view>

#include "base/result.h"

namespace sluice::cli {

/// Writes text to stderr as it is.
void print_error(std::string_view text);
/// "sluice: TEXT", printable on one line.
void note(std::string_view text);
/// "sluice: TITLE:", and lines below it.
void note_list(std::string_view title, std::string_view lines);
/// The error and, where there is more to say, its details and what to do next.
void report(const Error& error);
/// Writes data to stdout, whole. The exit code: that of SIGPIPE when nobody reads it. Errors:
/// Internal: it can't be written.
Result<int> print(std::string_view text);

}  // namespace sluice::cli
