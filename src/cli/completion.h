// Completion: what may stand at the end of a command line that is being typed in a shell. The
// shell's part is a small script, which asks the program: `sluice __complete WORD...`, the last
// word begun or empty. A line of the answer is a word, a tab, and what it means; or kFiles.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/cluster/workload_name.h"
#include "cli/command.h"
#include "cli/grammar.h"

namespace sluice::cli {

/// The first word of the shells' questions.
inline constexpr std::string_view kCompleteWord = "__complete";
/// The shell knows files better. The last line, behind words that may stand there, too.
inline constexpr std::string_view kFiles = ":files";

struct Completion {
  enum class Kind { Words, Files, Clusters, Workloads, WorkloadsOrFiles, Pods, Containers };
  struct Candidate {
    std::string word;
    std::string meaning;
  };

  Kind kind = Kind::Words;
  std::vector<Candidate> words;  // of the kind Words
  std::string before;            // of the word, and not to be completed: "--pod="
  std::string begun;             // how the rest of the word begins
  // Of the line, for what the server is asked:
  WorkloadName workload;
  TargetOptions target;
};

/// Reads the words, and the global options among them into `grammar`.
Completion complete(Grammar& grammar, std::span<const std::string> words);

/// Prints the answer. Whatever hinders it, it prints nothing: nobody would read why.
Command answer_of(Completion completion);

enum class Shell { Bash, Zsh, Fish };
/// For the shell to read at its start.
std::string_view completion_script(Shell shell);

}  // namespace sluice::cli
