// Runs a program to its end for what it prints, without a shell and without holding up the loop.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "net/task.h"

namespace sluice::net {

struct Program {
  std::string command;  // a path, or a name that is looked up in PATH
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // added to our own, or instead
};

struct ProgramEnd {
  int exit_code = 0;   // 128 + the signal's number for a program that was killed
  std::string output;  // at most 1 MiB
  std::string errors;  // the first 4 KiB of what it wrote to stderr
};

/// Its stdin is empty. Cancelling kills it. Errors: NotFound (no such program), Unavailable (can't
/// be started, printed too much), Cancelled.
Task<Result<ProgramEnd>> run_program(Program program);

}  // namespace sluice::net
