// What others wrote, made fit for a person's terminal: a workload's message is another user's text,
// and must neither move the cursor nor look like more lines than it is.
#pragma once

#include <string>
#include <string_view>

namespace sluice::cli {

/// On one line: control characters, marks that change the direction of writing, and bytes that are
/// no UTF-8 as escapes ("\n", "\x1b", "\u202e").
std::string printable(std::string_view text);
/// The same with its lines kept.
std::string printable_lines(std::string_view text);

}  // namespace sluice::cli
