// sluice, the command-line client: what it can be told is in command_line.h.
#include "base/standard_descriptors.h"
#include "cli/command_line.h"
#include "cli/program.h"

int main(int argc, char** argv) {
  sluice::open_standard_descriptors();
  int exit_code = 0;
  const auto invocation = sluice::cli::parse_command_line(argc, argv, exit_code);
  return invocation ? sluice::cli::run(*invocation) : exit_code;
}
