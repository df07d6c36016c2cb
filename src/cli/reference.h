// Reference: the program's documents, made of its grammar: `sluice __reference markdown` and
// `sluice __reference man FOLDER`. `./dev docs` writes docs/cli.md by it.
#pragma once

#include <map>
#include <string>

#include "cli/grammar.h"

namespace sluice::cli {

/// One page in Markdown.
std::string reference_page(const Grammar& grammar);

/// What the hidden command's words ask for: "markdown", printed; "man" and a folder, written there.
Command reference_command(std::span<const std::string> words);
inline constexpr std::string_view kReferenceWord = "__reference";

/// Manual pages (man(7)) by file name: sluice.1, sluice-logs.1, …
std::map<std::string, std::string> manual_pages(const Grammar& grammar);

}  // namespace sluice::cli
